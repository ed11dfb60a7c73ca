"""Faults planted in a small shop, and a mail service without any: the linter finds the first and is silent on the second.

A line with a fault ends in ``# <- rule`` (several with commas); every other line is clean.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from obslib.lint import RULES, Project, check

_CORPUS = Path(__file__).parent / "corpus"
_FAULTY = sorted(path for path in (_CORPUS / "faults").glob("*.py") if path.stat().st_size)
_SOUND = sorted(path for path in (_CORPUS / "sound").glob("*.py") if path.stat().st_size)
_MARK = re.compile(r"# <- (?P<rules>[a-z, -]+)$")
_NAMES = {code: rule.name for code, rule in RULES.items()}


def _planted(path: Path) -> list[tuple[int, str]]:
    """The faults of a file, by line and rule."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        mark = _MARK.search(line)
        if mark is not None:
            found += [(number, rule.strip()) for rule in mark["rules"].split(",")]
    return sorted(found)


def _found(path: Path) -> list[tuple[int, str]]:
    findings = check(path, path.read_text(), Project([_CORPUS])).findings
    return sorted((finding.place.line, _NAMES[finding.code]) for finding in findings)


@pytest.mark.parametrize("path", _FAULTY, ids=lambda path: path.stem)
def test_every_planted_fault_is_found_and_nothing_else(path: Path) -> None:
    """A fault is reported on its line by its rule; a line without one is not."""
    assert sorted(set(_found(path))) == _planted(path)


@pytest.mark.parametrize("path", _SOUND, ids=lambda path: path.stem)
def test_sound_code_is_not_reported(path: Path) -> None:
    """Code that does what it should is left in peace."""
    assert _found(path) == []


def test_the_corpus_is_large() -> None:
    """At least 150 faults are planted, for every rule about Python source but that for shims alone."""
    planted = [rule for path in _FAULTY for _, rule in _planted(path)]
    assert len(planted) >= 150
    assert set(_NAMES.values()) - set(planted) == {"free-text-line"}
    assert set(planted) <= set(_NAMES.values())
