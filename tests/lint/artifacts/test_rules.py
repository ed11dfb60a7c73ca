"""Each rule about artifacts reports its bad examples, nothing is said about its good ones, and its docstring is a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from obslib.catalog.platform import PLATFORM
from obslib.lint.artifacts import ARTIFACT_RULES, ArtifactRule, Document, Form, check_texts
from tests.lint.manual import assert_is_its_own_page

_GOOD = [(code, place) for code, rule in ARTIFACT_RULES.items() for place in range(len(rule.good))]
_BAD = [(code, place) for code, rule in ARTIFACT_RULES.items() for place in range(len(rule.bad))]


def codes(form: Form, text: str) -> set[str]:
    """The codes that are reported about an example."""
    match form:
        case Form.EXPOSITION:
            found = check_texts(PLATFORM, metrics=[Document("metrics", text)])
        case Form.RULE_FILE:
            found = check_texts(PLATFORM, rules=[Document("a.rules.yml", text)])
        case Form.DASHBOARD:
            found = check_texts(PLATFORM, dashboards=[Document("a.json", text)])
        case Form.QUERY:
            panel = {"title": "A", "targets": [{"expr": text}]}
            found = check_texts(PLATFORM, dashboards=[Document("a.json", json.dumps({"panels": [panel]}))])
    return {finding.code for finding in found.findings}


@pytest.mark.parametrize(("code", "place"), _GOOD)
def test_nothing_is_said_about_a_good_example(code: str, place: int) -> None:
    """What a page calls good is good to every rule."""
    rule = ARTIFACT_RULES[code]
    assert codes(rule.form, rule.good[place]) == set()


@pytest.mark.parametrize(("code", "place"), _BAD)
def test_a_bad_example_is_reported(code: str, place: int) -> None:
    """A rule reports what its page calls bad."""
    rule = ARTIFACT_RULES[code]
    assert code in codes(rule.form, rule.bad[place])


@pytest.mark.parametrize("rule", ARTIFACT_RULES.values(), ids=list(ARTIFACT_RULES))
def test_a_rule_is_its_own_manual_page(rule: type[ArtifactRule[Any]]) -> None:
    """Every rule says what it reports, why that hurts and how it is mended, and shows both."""
    assert_is_its_own_page(rule, r"OBS6\d\d")


def test_codes_and_names_are_not_used_twice() -> None:
    """One file a rule, and one code and one name."""
    files = [path for path in Path("obslib/lint/artifacts/rules").glob("*.py") if path.name != "__init__.py"]
    assert len(files) == len(ARTIFACT_RULES) == len({rule.name for rule in ARTIFACT_RULES.values()})
