"""How an org's file comes to be: empty for a new org, or out of a broken one, whose readable rows move over.

A file takes its name only when it is complete, so that a kill at any moment leaves the old one or the new one, and an
empty file under the name is one that was cut. The broken file is kept aside.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obslib.workload.continuity import Continuity
from obslib.workload.layout import FILE_ERRORS, connect, create
from obslib.workload.org_file import OrgFile
from obslib.workload.rows import COLUMNS, Boot, seed_of, stored_of
from obslib.workload.stored import Stamp

__all__ = ["Salvaged", "prepare", "salvage"]

_LAST = 2**62
_GENERATION = 2**40
"""Positions a file may use before they could meet those of the file that replaces it."""
_SIDE_FILES = ("-wal", "-shm")
_BOOT = "boot, instance_id, boot_id, app_id, env_id, process_type, node_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What came of it: where the broken file is, rows kept, and lines known to be missing between them."""

    aside: Path
    kept: int
    lost: int


def prepare(path: Path) -> None:
    """See that there is a file under this name: complete a salvage that was killed between its renames, or make one."""
    if path.exists():
        return
    fresh = _fresh(path)
    is_salvaged = any(path.parent.glob(f"{path.name}.damaged-*"))
    if not (fresh.exists() and is_salvaged):
        _remove(fresh)
        create(fresh)
    _take_name(fresh, path, _free_name(path))


def salvage(path: Path, org_id: str) -> Salvaged:
    """Replace ``path`` by a file of its readable rows, under their positions; nobody may have it open."""
    fresh, aside = _fresh(path), _free_name(path)
    _remove(fresh)
    create(fresh)
    whole = OrgFile(fresh, org_id)
    try:
        kept, lost, last = _move_rows(path, whole, org_id)
        generation = 1 + sum(1 for _ in path.parent.glob(f"{path.name}.damaged-*"))
        whole.continue_after(max(last, generation * _GENERATION))
    finally:
        whole.close()
    with suppress(FileNotFoundError):
        path.rename(aside)
    _take_name(fresh, path, aside)
    return Salvaged(aside=aside, kept=kept, lost=lost)


def _move_rows(path: Path, whole: OrgFile, org_id: str) -> tuple[int, int, int]:
    kept = lost = last = 0
    numbers = Continuity()
    try:
        broken = connect(path)
    except FILE_ERRORS:
        return 0, 0, 0
    with closing(broken), whole.adopting() as adopt:
        boots: dict[int, Boot] = {}
        for row in _walk(broken, "boots", _BOOT):
            number, instance_id, boot_id, *parts = row
            if not all(isinstance(part, str) for part in row[1:]):
                continue
            stamp = Stamp(org_id=org_id, **dict(zip(("app_id", "env_id", "process_type", "node_id"), parts, strict=True)))
            boots[number] = (stamp, instance_id, boot_id, seed_of(stamp, instance_id, boot_id))
            adopt("boots", _BOOT, row)
        for row in _walk(broken, "entries", COLUMNS):
            found = stored_of(row, boots[row[3]]) if row[3] in boots else None
            if found is not None and adopt("entries", COLUMNS, row):
                kept, last = kept + 1, max(last, found.position)
                lost += numbers.missing_before(found.entry)
    return kept, lost, last


def _walk(broken: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read, by rowid; over a page that cannot, in strides that double."""
    after, stride = 0, 1
    while after < _LAST:
        try:
            for row in broken.execute(f"SELECT {columns} FROM {table} NOT INDEXED WHERE rowid > ? ORDER BY rowid", (after,)):
                if isinstance(row[0], int) and after < row[0] < _LAST:
                    after, stride = row[0], 1
                yield row
        except FILE_ERRORS:
            after, stride = after + stride, stride * 2
        else:
            return


def _fresh(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _free_name(path: Path) -> Path:
    """Where the next broken file goes; its log, when it left one, goes beside it."""
    taken = sum(1 for _ in path.parent.glob(f"{path.name}.damaged-*[0-9]"))
    return path.with_name(f"{path.name}.damaged-{taken + 1}")


def _take_name(fresh: Path, path: Path, aside: Path) -> None:
    """Give ``fresh`` the name; a log that the file before it left would be read into this one, so that goes aside first."""
    for suffix in _SIDE_FILES:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    fresh.rename(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _remove(path: Path) -> None:
    for suffix in ("", *_SIDE_FILES):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
