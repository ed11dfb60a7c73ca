"""Findings for people: where, what, the line with a caret, and once for each rule why it hurts and how it is mended."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from obslib.lint.finding import Finding
from obslib.lint.linter import Outcome
from obslib.lint.own import Own
from obslib.lint.reports.glyphs import excerpt, shown

if TYPE_CHECKING:
    from obslib.lint.rulebook import Entry

__all__ = ["Text", "summary"]

_INDENT = "    "
_NARROWEST = 40


class Text:
    """Writes an outcome for a screen ``width`` cells wide; the first line of a finding is never wrapped, so that it can be
    searched for and clicked on.
    """

    def __init__(self, rule: Callable[[str], Entry | None], *, width: int, is_coloured: bool) -> None:
        self._rule, self._width, self._is_coloured = rule, max(width, _NARROWEST), is_coloured
        self._explained: set[str] = set()

    def lines(self, outcome: Outcome) -> Iterator[str]:
        """Every finding, then the summary."""
        texts = {path: text.split("\n") for path, text in outcome.texts.items()}
        for finding in outcome.findings:
            yield from self._finding(finding, texts.get(finding.path, []))
        yield summary(outcome)

    def _finding(self, finding: Finding, lines: list[str]) -> Iterator[str]:
        place = finding.place
        where = f"{shown(finding.path)}:{place.line}:{place.column}"
        yield f"{self._painted(where, '1')} {self._painted(finding.code, '1;31')} {shown(finding.message)}"
        if finding.code not in _WITHOUT_PLACE and 1 <= place.line <= len(lines) and lines[place.line - 1].strip():
            yield from self._excerpt(finding, lines[place.line - 1])
        rule = self._rule(finding.code)
        if rule is not None and finding.code not in self._explained:
            self._explained.add(finding.code)
            yield from self._explanation("why", rule.page.why)
            yield from self._explanation("fix", rule.page.fix)

    def _excerpt(self, finding: Finding, line: str) -> Iterator[str]:
        place = finding.place
        end = place.end_column - 1 if place.end_line == place.line else len(line.rstrip())
        lead = min(len(line) - len(line.lstrip()), place.column - 1)
        source, carets = excerpt(line[lead:], place.column - 1 - lead, end - lead, width=self._width - len(_INDENT))
        yield _INDENT + source
        yield _INDENT + carets[: len(carets) - len(carets.lstrip())] + self._painted(carets.lstrip(), "1;32")

    def _explanation(self, label: str, text: str) -> Iterator[str]:
        lead = f"  {label}: "
        for number, line in enumerate(textwrap.wrap(text, self._width - len(lead), break_on_hyphens=False)):
            yield (f"  {self._painted(f'{label}:', '1')} " if number == 0 else " " * len(lead)) + line

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._is_coloured else text


def summary(outcome: Outcome) -> str:
    """The last line: how much was found, where, and what can be done at once."""
    files = _count(outcome.files, "file")
    told = []
    if not outcome.findings:
        told.append(f"{files}, nothing found")
    else:
        paths = {finding.path for finding in outcome.findings}
        told.append(f"{_count(len(outcome.findings), 'finding')} in {len(paths)} of {files}")
    blind = sum(finding.code in _BLIND for finding in outcome.findings)
    mendable = sum(bool(finding.edits) for finding in outcome.findings)
    if blind:
        told.append(f"{blind} not looked at")
    if mendable:
        told.append(f"--fix mends {mendable}")
    if outcome.suppressed:
        told.append(f"{outcome.suppressed} suppressed")
    return "; ".join(told)


_WITHOUT_PLACE = {Own.UNREADABLE.value, Own.NOT_PYTHON.value, Own.LINTER_FAILED.value}
_BLIND = {code.value for code in Own if code.is_blindness}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
