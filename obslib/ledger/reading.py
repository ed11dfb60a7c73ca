"""From ``requirements.json`` to rows, with the line of whatever cannot be understood.

The file holds ``sections`` (a prefix and how many rows it has, which makes the list of expected ids) and ``rows``. It is
written as ``json.dumps(..., indent=2, ensure_ascii=False)`` writes it, one reference a line, so that two people who
edit two rows do not meet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obslib.errors import LedgerError
from obslib.ledger.row import REFERENCES, Kind, Ledger, Row

__all__ = ["FILE", "read"]

FILE = "requirements.json"
_LINES = re.compile(r"\d+(?:-\d+)?(?:, \d+(?:-\d+)?)*")
_TEXTS = ("id", "lines", "source", "kind", "requirement", "open")


def read(path: Path) -> Ledger:
    """The ledger in ``path``; raises LedgerError in one sentence, with the line, when it is not one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise LedgerError(f"{path} cannot be read: {reason}") from None
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise LedgerError(f"{path}, line {error.lineno}: this is no JSON ({error.msg}); look for a lost comma") from None
    except _TwiceError as error:
        raise LedgerError(f"{_place(path, text, error.id)}: {error}; keep one of them") from None
    if not isinstance(document, dict) or set(document) != {"sections", "rows"}:
        raise LedgerError(f'{path}, line 1: a ledger is an object of "sections" and "rows" and nothing else')
    return Ledger(
        expected=tuple(name for section in _list(path, document, "sections") for name in _ids(path, section)),
        rows=tuple(_row(path, text, row) for row in _list(path, document, "rows")),
    )


class _TwiceError(ValueError):
    def __init__(self, key: str, id: object) -> None:
        super().__init__(f"key {key!r} is there twice")
        self.id = id


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key, found.get("id"))
        found[key] = value
    return found


def _list(path: Path, document: Mapping[str, Any], key: str) -> list[Any]:
    held = document[key]
    if not isinstance(held, list):
        raise LedgerError(f'{path}, line 1: "{key}" is {held!r}; it has to be a list')
    return held


def _ids(path: Path, section: Any) -> list[str]:
    match section:
        case {"prefix": str(prefix), "title": str(), "rows": int(count)} if len(section) == 3 and 0 < count < 100:
            return [f"{prefix}-{number:02d}" for number in range(1, count + 1)]
    raise LedgerError(f'{path}: section {section!r} is not understood; it has a "prefix", a "title" and how many "rows"')


def _row(path: Path, text: str, row: Any) -> Row:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise LedgerError(f'{path}: {row!r} is no row; a row is an object with an "id"')
    where = f"{_place(path, text, row['id'])}: row {row['id']!r}"
    for key, value in row.items():
        if key in REFERENCES:
            if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
                raise LedgerError(f"{where} has {key} {value!r}; it has to be a list of names, or not there at all")
            if len(set(value)) != len(value):
                raise LedgerError(f"{where} names something twice in {key}: {value!r}; once is enough")
        elif key not in _TEXTS:
            raise LedgerError(f"{where} has {key!r}, which means nothing; use one of {', '.join((*_TEXTS, *REFERENCES))}")
        elif not isinstance(value, str) or not value.strip():
            raise LedgerError(f"{where} has {key} {value!r}; it has to be text, or not there at all")
    if "requirement" not in row:
        raise LedgerError(f'{where} has no "requirement"; say in one sentence what is asked')
    if ("lines" in row) == ("source" in row):
        raise LedgerError(f'{where} needs either "lines" of the architecture or another "source"')
    if not _LINES.fullmatch(row.get("lines", "1")):
        raise LedgerError(f"{where} has lines {row['lines']!r}; write numbers and ranges, as in '53, 57-58'")
    if row.get("kind") not in list(Kind):
        raise LedgerError(f"{where} is of kind {row.get('kind')!r}; use one of {', '.join(Kind)}")
    texts = {key: row[key] for key in _TEXTS if key in row}
    return Row(**{**texts, "kind": Kind(row["kind"])}, references={key: tuple(row[key]) for key in REFERENCES if key in row})


def _place(path: Path, text: str, id: object) -> str:
    at = text.find(f'"id": {json.dumps(id)}')
    return str(path) if at < 0 else f"{path}, line {text.count(chr(10), 0, at) + 1}"
