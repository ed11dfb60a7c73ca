"""Findings as one JSON document, for programs; the schema is in specs/lint.md and changes only with its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from obslib.lint.finding import Finding
from obslib.lint.linter import Outcome

if TYPE_CHECKING:
    from obslib.lint.rulebook import Entry

__all__ = ["SCHEMA", "json_document"]

SCHEMA = "obslib.lint/1"


def json_document(outcome: Outcome, rules: Mapping[str, Entry]) -> dict[str, Any]:
    """The outcome; ``rules`` explains each code that was found."""
    codes = sorted({finding.code for finding in outcome.findings})
    return {
        "schema": SCHEMA,
        "summary": {"files": outcome.files, "findings": len(outcome.findings), "suppressed": outcome.suppressed},
        "findings": [_finding(finding, rules) for finding in outcome.findings],
        "rules": {code: {"name": rules[code].name, **asdict(rules[code].page)} for code in codes if code in rules},
    }


def _finding(finding: Finding, rules: Mapping[str, Entry]) -> dict[str, Any]:
    return {
        "path": finding.path,
        **asdict(finding.place),
        "code": finding.code,
        "name": rules[finding.code].name if finding.code in rules else "",
        "message": finding.message,
        "edits": [{**asdict(edit.place), "text": edit.text} for edit in finding.edits],
    }
