"""From ``requirements.json`` to rows, with the line of whatever cannot be understood.

The file holds ``sections`` (a prefix and how many rows it has, which makes the list of expected ids) and ``rows``; the page
beside it says the same of the sections, so that none goes away by an edit of the file alone. The file is written as
``json.dumps(..., indent=2, ensure_ascii=False)`` writes it, one reference a line, so that two people who edit two rows do
not meet.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obslib.errors import LedgerError
from obslib.ledger.row import REFERENCES, Kind, Ledger, Row

__all__ = ["FILE", "PAGE", "read", "sections_in"]

FILE = "requirements.json"
PAGE = "requirements.md"
_ARCHITECTURE_LINES = 285
_LINES = re.compile(r"[0-9]{1,4}(?:-[0-9]{1,4})?(?:, [0-9]{1,4}(?:-[0-9]{1,4})?)*")
_PREFIX = re.compile(r"[A-Z][A-Z0-9]{0,7}(?:-[A-Z0-9]{1,7})*")
_ID = re.compile(rf"{_PREFIX.pattern}-[0-9]{{2}}")
_SECTION = re.compile(rf"^\| `(?P<prefix>{_PREFIX.pattern})` \| [^|]+ \| (?P<rows>[0-9]{{1,2}}) \|$", re.MULTILINE)
_TEXTS = ("id", "lines", "source", "kind", "requirement", "open")


def read(path: Path) -> Ledger:
    """The ledger in ``path``; raises LedgerError in one sentence, with the line, when it is not one."""
    text = _text(path)
    try:
        return _ledger(path, text)
    except RecursionError:
        raise LedgerError(f"{path} is nested too deeply for a ledger; look for brackets that are not closed") from None


def sections_in(page: Path) -> Mapping[str, int]:
    """How many rows each section has, by its prefix, as the table of the page says; raises LedgerError without one."""
    found = [(match["prefix"], int(match["rows"])) for match in _SECTION.finditer(_text(page))]
    if not found:
        raise LedgerError(f"{page} has no table of the sections; it has a line '| `PREFIX` | title | rows |' for each")
    return dict(found)


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise LedgerError(f"{path} cannot be read: {reason}") from None
    if text.startswith("\ufeff"):
        raise LedgerError(f"{path} begins with a byte order mark; save it as UTF-8 without one")
    return text


def _ledger(path: Path, text: str) -> Ledger:
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise LedgerError(f"{path}, line {error.lineno}: this is no JSON ({error.msg}); look for a lost comma") from None
    except _TwiceError as error:
        raise LedgerError(f"{_place(path, text, error.id)}: {error}; keep one of them") from None
    except ValueError as error:
        raise LedgerError(f"{path} holds a number that is none of a ledger's: {error}") from None
    if not isinstance(document, dict) or set(document) != {"sections", "rows"}:
        raise LedgerError(f'{path}, line 1: a ledger is an object of "sections" and "rows" and nothing else')
    return Ledger(
        sections=_sections(path, _list(path, document, "sections")),
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


def _sections(path: Path, listed: list[Any]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for section in listed:
        prefix, count = _section(path, section)
        if prefix in found:
            raise LedgerError(f"{path}: section {prefix!r} is there twice; keep one of them")
        found[prefix] = count
    return found


def _section(path: Path, section: Any) -> tuple[str, int]:
    match section:
        case {"prefix": str(prefix), "title": str(title), "rows": int(count)} if (
            len(section) == 3 and _PREFIX.fullmatch(prefix) and _is_text(title) and count is not True and 0 < count < 100
        ):
            return prefix, count
    raise LedgerError(f'{path}: section {section!r} is not understood; it has a "prefix", a "title" and how many "rows"')


def _is_text(value: Any) -> bool:
    """Whether it is a line that can be shown as it is: no line break, no escape, no half of a character."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _row(path: Path, text: str, row: Any) -> Row:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise LedgerError(f'{path}: {row!r} is no row; a row is an object with an "id"')
    if not _ID.fullmatch(row["id"]):
        raise LedgerError(
            f"{path}: row {row['id']!r} has an id that is none; an id is its section and two digits, as in 'WLG-07'"
        )
    where = f"{_place(path, text, row['id'])}: row {row['id']!r}"
    for key, value in row.items():
        if key in REFERENCES:
            if not isinstance(value, list) or not value or not all(map(_is_text, value)):
                raise LedgerError(f"{where} has {key} {value!r}; it has to be a list of names, or not there at all")
            if len(set(value)) != len(value):
                raise LedgerError(f"{where} names something twice in {key}: {value!r}; once is enough")
        elif key not in _TEXTS:
            raise LedgerError(f"{where} has {key!r}, which means nothing; use one of {', '.join((*_TEXTS, *REFERENCES))}")
        elif not _is_text(value):
            raise LedgerError(f"{where} has {key} {value!r}; it has to be text, or not there at all")
    if "requirement" not in row:
        raise LedgerError(f'{where} has no "requirement"; say in one sentence what is asked')
    if ("lines" in row) == ("source" in row):
        raise LedgerError(f'{where} needs either "lines" of the architecture or another "source"')
    if not _LINES.fullmatch(row.get("lines", "1")):
        raise LedgerError(f"{where} has lines {row['lines']!r}; write numbers and ranges, as in '53, 57-58'")
    if (wrong := _wrong_lines(row.get("lines", "1"))) is not None:
        raise LedgerError(f"{where} has lines {row['lines']!r}; {wrong}")
    if row.get("kind") not in list(Kind):
        raise LedgerError(f"{where} is of kind {row.get('kind')!r}; use one of {', '.join(Kind)}")
    texts = {key: row[key] for key in _TEXTS if key in row}
    return Row(**{**texts, "kind": Kind(row["kind"])}, references={key: tuple(row[key]) for key in REFERENCES if key in row})


def _wrong_lines(lines: str) -> str | None:
    """What is wrong with the numbers of ``lines``; None when nothing is."""
    numbers = [int(number) for number in re.findall("[0-9]+", lines)]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        return "each number has to be higher than the one before it"
    if not 0 < numbers[0] <= numbers[-1] <= _ARCHITECTURE_LINES:
        return f"the architecture has lines 1 to {_ARCHITECTURE_LINES}"
    return None


def _place(path: Path, text: str, id: object) -> str:
    at = text.find(f'"id": {json.dumps(id)}')
    return str(path) if at < 0 else f"{path}, line {text.count(chr(10), 0, at) + 1}"
