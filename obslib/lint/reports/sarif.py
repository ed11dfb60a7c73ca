"""Findings as SARIF 2.1.0 (OASIS), which code scanners and review tools read."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from obslib.lint.finding import Finding, Place
from obslib.lint.linter import Outcome

if TYPE_CHECKING:
    from obslib.lint.rulebook import Entry

__all__ = ["sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BASE = "SRCROOT"


def sarif(outcome: Outcome, rules: Mapping[str, Entry], *, root: Path) -> dict[str, Any]:
    """One run; files below ``root`` are named relative to it. Columns count Unicode code points."""
    codes = sorted({finding.code for finding in outcome.findings if finding.code in rules})
    indices = {code: index for index, code in enumerate(codes)}
    seen: Counter[str] = Counter()
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "obslib lint", "rules": [_rule(rules[code]) for code in codes]}},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_BASE: {"uri": f"{root.resolve().as_uri().rstrip('/')}/"}},
                "results": [_result(finding, indices, outcome, root, seen) for finding in outcome.findings],
            }
        ],
    }


def _rule(rule: Entry) -> dict[str, Any]:
    page = rule.page
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.why},
        "helpUri": f"urn:obslib:lint:{rule.code}",
        "help": {
            "text": f"{page.summary}\n\nWhy: {page.why}\n\nFix: {page.fix}",
            "markdown": f"{page.summary}\n\n**Why:** {page.why}\n\n**Fix:** {page.fix}\n\nMore: `obslib explain {rule.code}`",
        },
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: Finding, indices: Mapping[str, int], outcome: Outcome, root: Path, seen: Counter[str]) -> dict[str, Any]:
    artifact = _artifact(finding.path, root)
    place = {"artifactLocation": artifact, "region": _region(finding.place)}
    result = {
        "ruleId": finding.code,
        **({"ruleIndex": indices[finding.code]} if finding.code in indices else {}),
        "level": "error",
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"obslibLint/v1": _fingerprint(finding, artifact["uri"], outcome, seen)},
    }
    if finding.edits:
        replacements = [
            {"deletedRegion": _region(edit.place), "insertedContent": {"text": edit.text}} for edit in finding.edits
        ]
        change = {"artifactLocation": artifact, "replacements": replacements}
        result["fixes"] = [{"description": {"text": "what 'obslib lint --fix' does"}, "artifactChanges": [change]}]
    return result


def _artifact(path: str, root: Path) -> dict[str, str]:
    absolute, top = os.path.abspath(path), str(root.resolve())
    if absolute.startswith(f"{top.rstrip(os.sep)}{os.sep}"):
        return {"uri": quote(os.fsencode(PurePath(os.path.relpath(absolute, top)).as_posix())), "uriBaseId": _BASE}
    return {"uri": f"file://{quote(os.fsencode(absolute))}"}


def _region(place: Place) -> dict[str, int]:
    return {
        "startLine": place.line, "startColumn": place.column, "endLine": place.end_line, "endColumn": place.end_column,
    }  # fmt: skip


def _fingerprint(finding: Finding, uri: str, outcome: Outcome, seen: Counter[str]) -> str:
    """The same for the same defect after lines were added above it."""
    line = next(iter(_line(outcome.texts.get(finding.path, ""), finding.place.line)), "")
    about = f"{finding.code}\0{uri}\0{line.strip()}"
    seen[about] += 1
    return hashlib.sha256(f"{about}\0{seen[about]}".encode(errors="surrogateescape")).hexdigest()[:32]


def _line(text: str, number: int) -> Iterator[str]:
    yield from text.split("\n")[number - 1 : number]
