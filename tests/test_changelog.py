"""Someone's dashboard reads every signal, so the changelog names each."""

from __future__ import annotations

from pathlib import Path

from obslib.catalog import Family
from obslib.catalog.platform import PLATFORM

CHANGELOG = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()


def test_every_metric_has_its_line() -> None:
    """A family that is declared but not in the changelog is a surprise to its readers."""
    assert [family.name for family in PLATFORM.of(Family) if family.name not in CHANGELOG] == []


def test_mutant_a_missing_line_is_found() -> None:
    """The check can fail: with one line struck out, its family is missed."""
    struck = CHANGELOG.replace("edge_routes_loaded", "")
    assert [family.name for family in PLATFORM.of(Family) if family.name not in struck] == ["edge_routes_loaded"]
