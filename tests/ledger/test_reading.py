"""A ledger that cannot be understood is refused in one sentence that says where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from obslib.errors import LedgerError
from obslib.ledger import FILE, PAGE, Kind, read, sections_in
from tests.ledger.shop import Shop

SECTION = {"prefix": "A", "title": "All", "rows": 1}
ROW = {"id": "A-01", "lines": "3", "kind": "metric", "requirement": "Counted.", "open": "Not yet."}


def test_a_row_is_read_as_it_is_written(shop: Shop) -> None:
    """Id, origin, kind and references come out in order; the expected ids follow from the sections."""
    ledger = read(shop.write() / FILE)
    assert ledger.expected == tuple(f"SHOP-{number:02d}" for number in range(1, 11))
    row = ledger.rows[5]
    assert (row.id, row.lines, row.source, row.kind, row.open) == ("SHOP-06", "1", "", Kind.ALERT, "")
    assert row.of("alerts", "runbooks") == ("SoldOut", "empty")


NO_JSON = "this is no JSON (Expecting property name enclosed in double quotes); look for a lost comma"
NO_ID = "has an id that is none; an id is its section and two digits, as in 'WLG-07'"
EMPTY_SECTION = {**SECTION, "rows": 0}
BAD: list[tuple[object, str]] = [
    ('{"sections": [],\n "rows": [\n  {]}', f"FILE, line 3: {NO_JSON}"),
    ('{"sections": [],\n<<<<<<< HEAD\n', f"FILE, line 2: {NO_JSON}"),
    ("[]", 'FILE, line 1: a ledger is an object of "sections" and "rows" and nothing else'),
    ('{"sections": 3, "rows": []}', 'FILE, line 1: "sections" is 3; it has to be a list'),
    (
        '{"sections": [],\n"rows": [{"id": "A", "kind": 1, "kind": 2}]}',
        "FILE, line 2: key 'kind' is there twice; keep one of them",
    ),
    *(
        (section, f'FILE: section {section!r} is not understood; it has a "prefix", a "title" and how many "rows"')
        for section in ({**SECTION, "rows": True}, {**SECTION, "prefix": "\x1b[2J"}, {**SECTION, "title": "\n"})
    ),
    (
        EMPTY_SECTION,
        f'FILE: section {EMPTY_SECTION!r} is not understood; it has a "prefix", a "title" and how many "rows"',
    ),
    ([1], 'FILE: [1] is no row; a row is an object with an "id"'),
    ({"metrics": "up"}, "ROW has metrics 'up'; it has to be a list of names, or not there at all"),
    ({"metrics": []}, "ROW has metrics []; it has to be a list of names, or not there at all"),
    ({"metrics": ["up", "up"]}, "ROW names something twice in metrics: ['up', 'up']; once is enough"),
    ({"open": " "}, "ROW has open ' '; it has to be text, or not there at all"),
    ({"kind": "song"}, f"ROW is of kind 'song'; use one of {', '.join(Kind)}"),
    ({"lines": "somewhere"}, "ROW has lines 'somewhere'; write numbers and ranges, as in '53, 57-58'"),
    ({"lines": "57-53"}, "ROW has lines '57-53'; each number has to be higher than the one before it"),
    ({"lines": "60, 57-58"}, "ROW has lines '60, 57-58'; each number has to be higher than the one before it"),
    ({"lines": "286"}, "ROW has lines '286'; the architecture has lines 1 to 285"),
    ({"lines": "0-3"}, "ROW has lines '0-3'; the architecture has lines 1 to 285"),
    ({"lines": "999999"}, "ROW has lines '999999'; write numbers and ranges, as in '53, 57-58'"),
    ({"docs": ["\ud800"]}, r"ROW has docs ['\ud800']; it has to be a list of names, or not there at all"),
    ({"docs": ["specs/a\0b"]}, r"ROW has docs ['specs/a\x00b']; it has to be a list of names, or not there at all"),
    ({"open": "\x1b[2J"}, r"ROW has open '\x1b[2J'; it has to be text, or not there at all"),
    ({"id": "A-01\n\x1b[31mred"}, rf"FILE: row 'A-01\n\x1b[31mred' {NO_ID}"),
    ({"id": "A-1"}, f"FILE: row 'A-1' {NO_ID}"),
    ('{"sections": ' + "[" * 100_000, "FILE is nested too deeply for a ledger; look for brackets that are not closed"),
    ("\ufeff{}", "FILE begins with a byte order mark; save it as UTF-8 without one"),
    ({"source": "here"}, 'ROW needs either "lines" of the architecture or another "source"'),
]


@pytest.mark.parametrize(("given", "sentence"), BAD)
def test_what_is_no_ledger_is_refused_with_its_line(tmp_path: Path, given: Any, sentence: str) -> None:
    """Text, sections and rows each have their sentence; nothing is guessed."""
    path = tmp_path / FILE
    match given:
        case str():
            text = given
        case {"prefix": _}:
            text = json.dumps({"sections": [given], "rows": []}, indent=2)
        case dict():
            text = json.dumps({"sections": [SECTION], "rows": [{**ROW, **given}]}, indent=2)
        case _:
            text = json.dumps({"sections": [SECTION], "rows": [given]}, indent=2)
    path.write_text(text)
    with pytest.raises(LedgerError) as refusal:
        read(path)
    assert str(refusal.value) == sentence.replace("ROW", "FILE, line 11: row 'A-01'").replace("FILE", str(path))


def test_a_key_that_means_nothing_is_refused(tmp_path: Path) -> None:
    """A misspelt kind of reference would otherwise be evidence that nobody looks at."""
    path = tmp_path / FILE
    path.write_text(json.dumps({"sections": [SECTION], "rows": [{**ROW, "metric": ["up"]}]}, indent=2))
    with pytest.raises(LedgerError, match=r"line 11: row 'A-01' has 'metric', which means nothing; use one of id, lines, "):
        read(path)


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    """Neither a directory nor another encoding ends in a traceback."""
    (tmp_path / FILE).write_bytes(b"\xff\xfe{")
    with pytest.raises(LedgerError, match="cannot be read: it is not UTF-8"):
        read(tmp_path / FILE)
    with pytest.raises(LedgerError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_section_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """The second would hide how many rows the first has."""
    (tmp_path / FILE).write_text(json.dumps({"sections": [SECTION, SECTION], "rows": []}))
    with pytest.raises(LedgerError, match="section 'A' is there twice; keep one of them"):
        read(tmp_path / FILE)


def test_a_number_without_end_is_refused(tmp_path: Path) -> None:
    """Python itself refuses to read it; that is no traceback."""
    (tmp_path / FILE).write_text('{"sections": [], "rows": ' + "1" * 5_000 + "}")
    with pytest.raises(LedgerError, match="holds a number that is none of a ledger's"):
        read(tmp_path / FILE)


def test_the_page_has_to_have_its_table(tmp_path: Path) -> None:
    """Without it nobody would notice a section that has gone; its lines are read as they are written."""
    page = tmp_path / PAGE
    with pytest.raises(LedgerError, match="cannot be read: No such file or directory"):
        sections_in(page)
    page.write_text("# Requirements\n")
    with pytest.raises(LedgerError, match="has no table of the sections; it has a line"):
        sections_in(page)
    page.write_text("| section | about | rows |\n|---|---|---|\n| `A` | All | 1 |\n| `B-C` | Both | 12 |\n")
    assert sections_in(page) == {"A": 1, "B-C": 12}
