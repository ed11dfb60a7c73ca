"""What the page on linting shows works as it is shown."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from obslib.lint import Finding, Page, Place
from obslib.lint.configuration import Configuration
from obslib.lint.linter import Outcome
from obslib.lint.reports import json_document
from obslib.lint.rulebook import Entry, code_of
from obslib.lint.selection import Selection
from obslib.lint.suppression import suppressions_in
from tests.lint.fake_engine import wrote

PAGE = (Path(__file__).parents[2] / "specs" / "lint.md").read_text()


def block(language: str) -> str:
    """The one block of the page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_configuration_is_one_that_is_understood(tmp_path: Path) -> None:
    """Every key of it, and every rule that it names."""
    for folder in ("src/billing", "tools"):
        (tmp_path / folder).mkdir(parents=True)
    configuration = Configuration.load(wrote(tmp_path / "pyproject.toml")(block("toml")))
    is_reported = Selection(configuration)
    assert is_reported(tmp_path / "src" / "a.py", "OBS101")
    assert [is_reported(tmp_path / folder / "a.py", "OBS502") for folder in ("src", "tests")] == [True, False]
    assert all(getattr(configuration, key) for key in ("paths", "exclude", "select", "ignore", "components", "src"))


def test_the_suppressions_are_understood() -> None:
    """Each has a reason and names rules that exist; one ends."""
    found = suppressions_in(block("python"))
    assert [(each.problem, each.has_reason, each.until) for each in found] == [
        ("", True, ""), ("", True, "2027-01-31"), ("", True, ""),
    ]  # fmt: skip
    assert [each.is_over(date(2027, 2, 1)) for each in found] == [False, True, False]
    assert all(code_of(spelt) for each in found for spelt, _ in each.codes)


def test_the_document_has_the_keys_that_are_shown() -> None:
    """The schema is a promise to programs."""
    shown = json.loads(block("json"))
    place = Place(line=31, column=33, end_line=31, end_column=40)
    finding = Finding(path="src/billing/app.py", place=place, code="OBS103", message="…")
    rule = Entry(code="OBS103", name="undeclared-label", page=Page(summary="…", why="…", fix="…"))
    document = json_document(Outcome(findings=(finding,), texts={}, files=48), {"OBS103": rule})
    assert {**shown, "findings": [{**shown["findings"][0], "edits": []}]} == document
    assert code_of(shown["findings"][0]["name"]) == shown["findings"][0]["code"]
