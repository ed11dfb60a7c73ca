"""A page that names a metric, a check or a reason names one that exists: at three in the morning nobody greps for a typo."""

from __future__ import annotations

import re
from pathlib import Path

from obslib.catalog import Alert, Check, ExternalMetric, Family, Runbook
from obslib.catalog.platform import PLATFORM
from obslib.debug.advice import RUNBOOK_OF

SPECS = Path(__file__).parents[2] / "specs"

_PART = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
_NAME = re.compile(r"`(?P<name>[a-z][a-z0-9]*_[a-z0-9_]*)(?:\{[^`]*\})?`")
_OF_EVERY_LINE = {"trace_id"}


def known_names() -> set[str]:
    """Everything of the catalog that a sentence may name, and the reasons that verdicts give."""
    families = (*PLATFORM.of(Family), *PLATFORM.of(ExternalMetric))
    labels = [use for family in PLATFORM.of(Family) for use in family.labels]
    return {
        *(signal.name for signal in (*families, *PLATFORM.of(Check), *PLATFORM.of(Runbook))),
        *(name for use in labels for name in (use.name, *use.values)),
        *(value for reasons in PLATFORM.reasons.values() for value in reasons.values),
        *(rule.reason for alert in PLATFORM.of(Alert) for rule in alert.rules),
        *PLATFORM.fields, *RUNBOOK_OF, *_OF_EVERY_LINE,
    }  # fmt: skip


def unknown_names(page: str) -> list[str]:
    """Names in a page's prose that begin as our metrics do and are nothing we know."""
    subsystems = {family.name.partition("_")[0] for family in PLATFORM.of(Family)}
    found = [match["name"] for match in _NAME.finditer(_PART.sub("", page))]
    return [name for name in found if name.partition("_")[0] in subsystems and name not in known_names()]


def test_every_metric_check_and_reason_a_page_names_exists() -> None:
    """Prose follows a renaming, or this fails; what is rendered follows by itself."""
    assert {path.name: unknown_names(path.read_text()) for path in SPECS.rglob("*.md") if unknown_names(path.read_text())} == {}


def test_mutant_a_metric_that_is_not_there_is_found() -> None:
    """The check sees a misspelt metric, with or without its labels, and lets a real one pass."""
    page = 'Not `projection_lags` or `edge_backend{x="y"}`, but `projection_lag_events` or `edge_backends{state="reachable"}`.'
    assert unknown_names(page) == ["projection_lags", "edge_backend"]
