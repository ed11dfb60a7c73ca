"""An engine that reports each ``user_id``, mends those in lines that say ``mendable``, and reads what ``# reads:`` names."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from obslib.lint import Checked, Edit, Finding, Place
from obslib.lint.cache import Cache
from obslib.lint.linter import Linter

CODE = "OBS103"
NAMES = {CODE: CODE, "RAW-LABEL": CODE, "OBS501": "OBS501"}
TODAY = date(2026, 11, 25)


@dataclass
class FakeEngine:
    """``looked`` counts the files it was asked about; ``replacement`` is what it mends with."""

    looked: list[str] = field(default_factory=list)
    replacement: str = "route"

    def check(self, path: Path, text: str) -> Checked:
        """As the engine does; ``# raises: NAME`` makes it fail."""
        self.looked.append(path.name)
        ast.parse(text)
        if failing := re.search(r"# raises: (\w+)", text):
            raise {"KeyError": KeyError, "RecursionError": RecursionError, "ValueError": ValueError}[failing[1]]("broken rule")
        findings = tuple(
            self._finding(path, number, line, found.start())
            for number, line in enumerate(text.split("\n"), 1)
            for found in re.finditer(r"user_id", line)
        )
        read = frozenset(path.parent / name for name in re.findall(r"# reads: (\S+)", text))
        return Checked(findings, read)

    def linter(self, cache: Cache | None = None, *, today: date = TODAY) -> Linter:
        """A linter around it."""
        return Linter(self.check, cache=cache or Cache(None, about=""), today=today, rule=lambda word: NAMES.get(word.upper()))

    def _finding(self, path: Path, number: int, line: str, column: int) -> Finding:
        place = Place(line=number, column=column + 1, end_line=number, end_column=column + 8)
        edits = (Edit(place=place, text=self.replacement),) if "mendable" in line else ()
        return Finding(path=str(path), place=place, code=CODE, message="label 'user_id' is not bounded", edits=edits)


def codes(linter: Linter, path: Path) -> list[tuple[int, str]]:
    """Line and code of everything the linter says about a file."""
    return [(finding.place.line, str(finding.code)) for finding in linter.lint(path).findings]


def wrote(path: Path) -> Callable[[str | bytes], Path]:
    """Writes a file, exactly."""

    def write(content: str | bytes) -> Path:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
