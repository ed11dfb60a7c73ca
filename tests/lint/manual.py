"""What every rule's manual page must have, whatever the rule is about."""

from __future__ import annotations

import re
from typing import Any

from obslib.lint import Rule
from obslib.lint.artifacts import ArtifactRule


def assert_is_its_own_page(rule: type[Rule[Any]] | type[ArtifactRule[Any]], codes: str) -> None:
    """It says what it reports, why that hurts and how it is mended, and shows both."""
    page = rule.page()
    assert re.fullmatch(codes, rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert page.summary.endswith(".")
    assert page.why
    assert page.fix
    assert rule.good
    assert rule.bad
