"""Declarations for the people who keep the platform running: alerts, dashboards, runbooks, retention.

Alerts and panels ask their questions about metric objects (``promql``), so neither can name a family that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from obslib.catalog.declaration import Declaration
from obslib.catalog.promql import Metric, Query, require_labels
from obslib.errors import CatalogError, LabelNotAllowed

__all__ = ["Alert", "Dashboard", "Panel", "Retention", "Rule", "Runbook", "Scene", "Series", "Severity", "Variable"]

_OF_RESULTS = frozenset({"node_id", "projection", "reason", "kind"})
"""The labels that may tell two firing alerts of one rule apart (requirements §2)."""

_SHOWN = re.compile(r"\{\{(\w+)\}\}")
_CHOSEN = re.compile(r"\$\{(\w+)\}")


class Severity(StrEnum):
    """Who hears of an alert, and when."""

    PAGE = "page"
    TICKET = "ticket"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Runbook(Declaration):
    """What to do at three in the morning; ``path`` is relative to ``specs/runbooks``."""

    SECTIONS: ClassVar[tuple[str, ...]] = (
        "Symptoms and alerts", "Impact and scope", "Safe mitigation", "Verification", "Escalation", "Follow-up",
    )  # fmt: skip

    path: str


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one series, one a minute from minute 0, in promtool's notation: ``0+1x30``, ``5 5 5``, ``_x30``."""

    metric: Metric
    values: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_labels(self.metric, self.labels, f"series of {self.metric.name!r}")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a Prometheus has seen after ``minutes``; ``labels`` are those of the alert's result, where it fires."""

    series: tuple[Series, ...]
    minutes: int
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One threshold of an alert: ``query`` had a result for ``for_s`` seconds.

    ``reason`` tells rules of one alert and one severity apart. ``fires`` and ``quiet`` are its examples, the second a near
    miss; ``fires_when_absent`` says what becomes of it when no series exists at all.
    """

    severity: Severity
    query: Query
    for_s: float
    summary: str
    fires: Scene
    quiet: Scene
    reason: str = ""
    fires_when_absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Alert(Declaration):
    """A condition somebody must hear of, in the component named by ``components``; a rule for each threshold.

    Raises LabelNotAllowed when a label other than node_id, projection, reason and kind could reach a firing alert: not a
    tenant's, not an instance's, and not the scraped target's either.
    """

    _NAME: ClassVar[re.Pattern[str]] = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
    _SPELLING: ClassVar[str] = "in CamelCase, as Prometheus alerts are"

    rules: tuple[Rule, ...]
    runbook: Runbook | None = None

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        if len(self.components) != 1:
            raise CatalogError(f"alert {self.name!r} is about {self.components!r}; name the one component to look at first")
        if self.runbook is None and any(rule.severity is Severity.PAGE for rule in self.rules):
            raise CatalogError(f"alert {self.name!r} pages, so it needs a runbook")
        if len({(rule.severity, rule.reason) for rule in self.rules}) != len(self.rules):
            raise CatalogError(f"alert {self.name!r} has two rules of one severity; give each its reason=")
        for rule in self.rules:
            self._check_labels(rule.query)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric its rules read."""
        return tuple(dict.fromkeys(metric for rule in self.rules for metric in rule.query.metrics))

    def labels(self, rule: Rule) -> dict[str, str]:
        """The labels that ``rule`` itself puts on the alert."""
        found = {"severity": rule.severity.value, "component": self.components[0]}
        if self.runbook is not None:
            found["runbook"] = f"specs/runbooks/{self.runbook.path}"
        return {**found, "reason": rule.reason} if rule.reason else found

    def _check_labels(self, query: Query) -> None:
        for label in sorted(query.labels - _OF_RESULTS):
            raise LabelNotAllowed(
                f"alert {self.name!r} would carry label {label!r}; group by {', '.join(sorted(_OF_RESULTS))} or by nothing"
            )
        for metric in query.unaggregated:
            raise LabelNotAllowed(
                f"alert {self.name!r} would carry every label of {metric.name!r}, its target's among them; "
                "aggregate it, as in max by (node_id) (...)"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """One graph: a question about the platform, its query, a legend in Grafana's notation and a unit Grafana knows."""

    title: str
    query: Query
    legend: str
    unit: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variable:
    """What whoever looks at a dashboard chooses: one of the values that ``label`` of ``metric`` has.

    A query of the dashboard compares with it as ``"${name}"``.
    """

    name: str
    metric: Metric
    label: str

    def __post_init__(self) -> None:
        require_labels(self.metric, {self.label: ""}, f"variable {self.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Dashboard(Declaration):
    """A dashboard with a stable ``uid``; ``version`` grows with every change of its panels.

    Raises CatalogError for a legend that shows a label its query does not group by, a variable that no query uses, and one
    that a query uses and nobody can choose.
    """

    uid: str
    title: str
    version: int
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        for panel in self.panels:
            for label in _SHOWN.findall(panel.legend):
                if label not in panel.query.labels:
                    raise CatalogError(
                        f"dashboard {self.name!r}: the legend of {panel.title!r} shows {label!r}, "
                        f"which its query does not group by; write by ({label}), or leave it out"
                    )
        used = {name for panel in self.panels for name in _CHOSEN.findall(panel.query.text)}
        for name in sorted(used ^ {variable.name for variable in self.variables}):
            raise CatalogError(
                f"dashboard {self.name!r} asks for variable {name!r}, which is not declared; add it to variables=(...)"
                if name in used
                else f"dashboard {self.name!r} declares variable {name!r}, which no query uses; leave it out"
            )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric its panels and its variables read."""
        asked = (metric for panel in self.panels for metric in panel.query.metrics)
        return tuple(dict.fromkeys((*asked, *(variable.metric for variable in self.variables))))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Retention(Declaration):
    """One key of the retention policy; components that own the data refuse to start without it.

    Its value is a time such as ``14d``, or one of ``words``. Where ``needs_decision``, only the words go without saying:
    a time then needs the id of a policy and an accepted ADR beside it.
    """

    key: str
    documented_default: str
    words: tuple[str, ...] = ()
    needs_decision: bool = False
