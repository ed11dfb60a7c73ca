"""From a selection to a statement, and from rows to an answer in order."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from obslib.workload.rows import Boot
from obslib.workload.selection import Selection
from obslib.workload.stored import StoredEntry

__all__ = ["fits", "in_order", "number_of", "where"]

_FIRST, _LAST = -(2**62), 2**62


def number_of(identity: str) -> int:
    """An id as a number of 47 bits, small in an index; what it finds is compared with the id itself."""
    return int.from_bytes(blake2b(identity.encode(), digest_size=6).digest()) >> 1


def where(selection: Selection) -> tuple[str, list[Any]]:
    """The condition and its values, for a statement on ``entries``."""
    clauses, values = ["env = ?"], [number_of(selection.env_id)]
    bounds = [_FIRST if selection.since is None else round(selection.since * 1e6)]
    bounds.append(_LAST if selection.until is None else round(selection.until * 1e6))
    clauses.append("at >= ? AND at < ?")
    values += bounds
    more: list[Any] = []
    if selection.instance_id:
        clauses.append("instance = ?")
        more.append(number_of(selection.instance_id))
    if selection.process_type:
        clauses.append("boot IN (SELECT boot FROM boots WHERE process_type = ?)")
        more.append(selection.process_type)
    if selection.contains:
        clauses.append("instr(line, ?) > 0")
        more.append(selection.contains)
    return " AND ".join(clauses), [*values, *more]


def fits(boot: Boot, selection: Selection) -> bool:
    """Whether a row of ``boot`` is one that was asked for, as its ids have it."""
    stamp, instance_id, _, _ = boot
    return (
        stamp.env_id == selection.env_id
        and selection.instance_id in ("", instance_id)
        and selection.process_type in ("", stamp.process_type)
    )


def in_order(entries: list[StoredEntry]) -> list[StoredEntry]:
    """``entries`` with those of each boot in the order of their numbers, in the places that the boot has among the others."""
    boots: dict[tuple[str, str], list[StoredEntry]] = {}
    for found in entries:
        boots.setdefault((found.entry.instance_id, found.entry.boot_id), []).append(found)
    turns = {name: iter(sorted(of_boot, key=_seq)) for name, of_boot in boots.items()}
    return [next(turns[found.entry.instance_id, found.entry.boot_id]) for found in entries]


def _seq(found: StoredEntry) -> int:
    return found.entry.seq
