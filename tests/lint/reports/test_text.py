"""People see where it is, the very characters, why it hurts and how it is mended, on any terminal."""

from __future__ import annotations

import unicodedata

import pytest

from obslib.lint import Finding, Page, Place
from obslib.lint.linter import Outcome
from obslib.lint.reports import Text
from obslib.lint.reports.glyphs import excerpt, shown
from obslib.lint.rulebook import Entry

RULES = {
    "OBS103": Entry(
        code="OBS103",
        name="raw-label",
        page=Page(summary="A raw value.", why="Each value is a series for ever.", fix="Log it instead."),
    )
}


def finding(line: int, begin: int, end: int, *, code: str = "OBS103", path: str = "a.py") -> Finding:
    """A finding in one line."""
    place = Place(line=line, column=begin, end_line=line, end_column=end)
    return Finding(path=path, place=place, code=code, message="label 'user' is unbounded")


def told(*findings: Finding, text: str, width: int = 80, is_coloured: bool = False) -> list[str]:
    """The report."""
    outcome = Outcome(findings=findings, texts={"a.py": text}, files=3, suppressed=2)
    return list(Text(RULES.get, width=width, is_coloured=is_coloured).lines(outcome))


def test_why_and_how_are_told_once_for_each_rule() -> None:
    """The first finding of a rule teaches, the others point; so that people leave it on."""
    assert told(finding(1, 7, 11), finding(3, 11, 15), text="x = f(user)\n\n    y = f(user)\n") == [
        "a.py:1:7 OBS103 label 'user' is unbounded",
        "    x = f(user)",
        "          ^^^^",
        "  why: Each value is a series for ever.",
        "  fix: Log it instead.",
        "a.py:3:11 OBS103 label 'user' is unbounded",
        "    y = f(user)",
        "          ^^^^",
        "2 findings in 1 of 3 files; 2 suppressed",
    ]


def test_long_explanations_wrap_and_the_first_line_never_does() -> None:
    """The first line is what editors and grep read."""
    lines = told(finding(1, 1, 2), text="x", width=40)
    assert lines[0] == "a.py:1:1 OBS103 label 'user' is unbounded"
    assert max(len(line) for line in lines[1:-1]) <= 40


def test_nothing_found_is_said() -> None:
    """With what was looked at; silence could be a mistake."""
    assert told(text="") == ["3 files, nothing found; 2 suppressed"]


def test_a_finding_over_several_lines_is_marked_in_its_first() -> None:
    """To the end of the line; a place outside the text shows no line."""
    place = Place(line=1, column=5, end_line=3, end_column=2)
    over = Finding(path="a.py", place=place, code="OBS103", message="m")
    assert told(over, text="x = f(\n  1,\n)")[1:3] == ["    x = f(", "        ^^"]
    assert told(finding(9, 1, 2), text="x")[1] == "  why: Each value is a series for ever."


def test_colour_is_only_paint() -> None:
    """Taken away, the same words remain."""
    import re

    plain, painted = (told(finding(1, 7, 11), text="x = f(user)", is_coloured=on) for on in (False, True))
    assert painted != plain
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in painted] == plain


@pytest.mark.parametrize(
    ("line", "begin", "end", "source", "carets"),
    [
        ("\tx = user", 5, 9, "    x = user", "        ^^^^"),
        ("a\tb", 2, 3, "a   b", "    ^"),
        ("x = '中文', user", 10, 14, "x = '中文', user", "            ^^^^"),
        ("中文", 1, 2, "中文", "  ^^"),
        ("e\u0301x", 2, 3, "e\u0301x", " ^"),
        ("x = '\x1b[31m'", 5, 6, "x = '\\x1b[31m'", "     ^^^^"),
        ("x = '\u202euser'", 6, 10, "x = '\\u202euser'", "           ^^^^"),
        ("x", 5, 9, "x", " ^"),
        ("", 0, 0, "", "^"),
    ],
)
def test_the_carets_are_under_the_characters(line: str, begin: int, end: int, source: str, carets: str) -> None:
    """Tabs, wide and combining characters, and characters that a terminal would obey."""
    assert excerpt(line, begin, end, width=80) == (source, carets)


@pytest.mark.parametrize("width", [20, 40, 77])
@pytest.mark.parametrize("character", ["x", "中", "\t", "\x1b"])
def test_a_long_line_is_cut_around_the_carets(width: int, character: str) -> None:
    """Whatever it is made of and wherever they are, it fits and shows where they are."""
    for begin in range(0, 300, 7):
        line = character * begin + "NEEDLE" + character * (300 - begin) + "|"
        source, carets = excerpt(line, begin, begin + 6, width=width)
        assert cells(source) <= width
        at = cells(source[: source.index("NEEDLE")])
        assert carets == " " * at + "^" * 6
        assert ("…" in source) is (cells(excerpt(line, begin, begin + 6, width=9999)[0]) > width)


def cells(text: str) -> int:
    """How wide it is on a terminal."""
    return sum(2 if unicodedata.east_asian_width(character) == "W" else 1 for character in text)


def test_a_stretch_wider_than_the_screen_is_cut_too() -> None:
    """Its beginning is shown."""
    source, carets = excerpt("x = " + "y" * 500, 4, 504, width=40)
    assert cells(source) <= 40
    assert len(carets) <= 40
    assert "^" in carets


def test_a_path_or_message_steers_no_terminal() -> None:
    """File names are text of strangers too."""
    hostile = Finding(path="a\x1b[2J\n.py", place=Place.at(), code="OBS103", message="label '\x1b[0m'\r\nx")
    assert told(hostile, text="")[0] == "a\\x1b[2J\\n.py:1:1 OBS103 label '\\x1b[0m'\\r\\nx"
    assert shown("plain") == "plain"
