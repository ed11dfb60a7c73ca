"""``obslib explain`` is the manual of the linter."""

from __future__ import annotations

import json
import sys

import pytest

from obslib.cli.main import main
from obslib.lint import RULES
from obslib.lint.own import Own
from obslib.lint.rulebook import rulebook


def explain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command; exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["obslib", "explain", *words])
    with pytest.raises(SystemExit) as ending:
        main()
    printed = capsys.readouterr()
    return int(ending.value.code or 0), printed.out, printed.err


def test_every_rule_has_its_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The list names each with what it reports, and each page says why and how."""
    code, out, _ = explain(monkeypatch, capsys)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [[entry.code, entry.name] for entry in rulebook().values()]
    for entry in rulebook().values():
        assert entry.page.summary.endswith(".")
        code, out, _ = explain(monkeypatch, capsys, entry.code)
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


def test_several_are_explained_by_code_name_or_beginning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In whichever case, once each, in the order of their codes."""
    _, out, _ = explain(monkeypatch, capsys, "unused-suppression", "obs901", "OBS90")
    assert [line for line in out.splitlines() if line.startswith("OBS9")] == [
        f"OBS90{number} {name}" for number, name in enumerate(("syntax-error", "unreadable", "not-python", "linter-failed"), 1)
    ] + ["OBS911 unused-suppression"]


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, name, page and examples."""
    _, out, _ = explain(monkeypatch, capsys, "OBS101", "--json")
    (rule,) = json.loads(out)["rules"]
    assert list(rule) == ["code", "name", "page", "good", "bad"]
    assert list(rule["page"]) == ["summary", "why", "fix"]


def test_an_unknown_rule_is_exit_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was meant."""
    code, out, err = explain(monkeypatch, capsys, "unused-supression")
    assert (code, out) == (2, "")
    assert err.startswith("obslib: explain: no rule is called 'unused-supression'; did you mean 'unused-suppression'")
