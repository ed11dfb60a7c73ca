"""``obslib explain`` is the manual of the linter."""

from __future__ import annotations

import json
from functools import partial

import pytest

from obslib.lint import RULES
from obslib.lint.own import Own
from obslib.lint.rulebook import rulebook
from tests.cli.outcome import Run


@pytest.fixture
def explain(obslib: Run) -> Run:
    """Runs ``obslib explain`` with these words."""
    return partial(obslib, "explain")


def test_every_rule_has_its_page(explain: Run) -> None:
    """The list names each with what it reports, and each page says why and how."""
    code, out, _ = explain()
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [[entry.code, entry.name] for entry in rulebook().values()]
    for entry in rulebook().values():
        assert entry.page.summary.endswith(".")
        code, out, _ = explain(entry.code)
        assert code == 0
        assert out.startswith(f"{entry.code} {entry.name}\n\n")
        assert "\nWhy: " in out
        assert "\nFix: " in out
        assert ("\nReported:\n" in out) is bool(entry.bad)
        assert (f"\nTo suppress it: # obslib: ignore[{entry.code}] reason\n" in out) is (entry.code in RULES)


def test_the_linters_own_findings_are_rules_too() -> None:
    """Each has a page, and no code or name is used twice."""
    book = rulebook()
    assert {code.value for code in Own} <= set(book)
    assert len({entry.name for entry in book.values()}) == len(book)
    assert list(book) == sorted(book)


def test_several_are_explained_by_code_name_or_beginning(explain: Run) -> None:
    """In whichever case, once each, in the order of their codes."""
    _, out, _ = explain("unused-suppression", "obs901", "OBS90")
    assert [line for line in out.splitlines() if line.startswith("OBS9")] == [
        f"OBS90{number} {name}" for number, name in enumerate(("syntax-error", "unreadable", "not-python", "linter-failed"), 1)
    ] + ["OBS911 unused-suppression"]


def test_json_is_one_document(explain: Run) -> None:
    """Code, name, page and examples."""
    _, out, _ = explain("OBS101", "--json")
    (rule,) = json.loads(out)["rules"]
    assert list(rule) == ["code", "name", "page", "good", "bad"]
    assert list(rule["page"]) == ["summary", "why", "fix"]


def test_an_unknown_rule_is_exit_2(explain: Run) -> None:
    """With what was meant."""
    code, out, err = explain("unused-supression")
    assert (code, out) == (2, "")
    assert err.startswith("obslib: explain: no rule is called 'unused-supression'; did you mean 'unused-suppression'")
