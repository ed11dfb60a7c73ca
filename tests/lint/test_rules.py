"""Each rule reports its bad examples and none of its good ones, and its docstring is a whole manual page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from obslib.lint import RULES, Project, Rule, check
from tests.lint.manual import assert_is_its_own_page

_BY_CODE = sorted(RULES.items())
_GOOD = [(code, place, source) for code, rule in _BY_CODE for place, source in enumerate(rule.good)]
_BAD = [(code, place, source) for code, rule in _BY_CODE for place, source in enumerate(rule.bad)]


def _codes(source: str, rule: type[Rule[Any]], directory: Path) -> set[str]:
    return {finding.code for finding in check(directory / rule.example_path, source, Project(), [rule]).findings}


@pytest.mark.parametrize(("code", "place", "source"), _GOOD, ids=[f"{code}-{place}" for code, place, _ in _GOOD])
def test_a_good_example_is_not_reported(code: str, place: int, source: str, tmp_path: Path) -> None:
    """A rule says nothing about what its page calls good."""
    assert _codes(source, RULES[code], tmp_path) == set()


@pytest.mark.parametrize(("code", "place", "source"), _BAD, ids=[f"{code}-{place}" for code, place, _ in _BAD])
def test_a_bad_example_is_reported(code: str, place: int, source: str, tmp_path: Path) -> None:
    """A rule reports what its page calls bad."""
    assert _codes(source, RULES[code], tmp_path) == {code}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_is_its_own_manual_page(rule: type[Rule[Any]]) -> None:
    """Every rule says what it reports, why that hurts and how it is mended, and shows both."""
    assert_is_its_own_page(rule, r"OBS[1-9]\d\d")


@pytest.mark.parametrize(("code", "place", "source"), _GOOD + _BAD, ids=[f"{code}-{place}" for code, place, _ in _GOOD + _BAD])
def test_an_example_asks_a_metric_for_its_labels_first(code: str, place: int, source: str) -> None:
    """A page shows what can be copied: counting is done by what ``labels()`` gives, a bound metric itself cannot."""
    assert not re.findall(r"metrics\[[^\]]*\]\.(?:inc|dec|set|observe)\(", source)


def test_codes_and_names_are_not_used_twice() -> None:
    """A suppression means one rule."""
    files = [path for path in Path("obslib/lint/rules").glob("*.py") if path.name != "__init__.py"]
    assert len(files) == len(RULES) == len({rule.name for rule in RULES.values()})
