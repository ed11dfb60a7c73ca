"""Findings as workflow commands, which GitHub shows beside the changed lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from obslib.lint.finding import Finding
from obslib.lint.linter import Outcome

if TYPE_CHECKING:
    from obslib.lint.rulebook import Entry

__all__ = ["github"]

_IN_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_DATA, ":": "%3A", ",": "%2C"}


def github(outcome: Outcome, rules: Mapping[str, Entry]) -> Iterator[str]:
    """One command for each finding."""
    for finding in outcome.findings:
        properties = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTY)}" for name, value in _place(finding, rules).items())
        yield f"::error {properties}::{_escaped(finding.message, _IN_DATA)}"


def _place(finding: Finding, rules: Mapping[str, Entry]) -> dict[str, object]:
    """Columns belong to a single line, or GitHub refuses the whole command."""
    place, rule = finding.place, rules.get(finding.code)
    columns = {"col": place.column, "endColumn": place.end_column} if place.end_line == place.line else {}
    title = f"{finding.code} {rule.name}" if rule else finding.code
    return {"file": finding.path, "line": place.line, "endLine": place.end_line, **columns, "title": title}


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
