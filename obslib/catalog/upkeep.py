"""Declarations for the people who keep the platform running: alerts, dashboards, runbooks, retention.

An alert and a panel refer to metric objects, so neither can name a family that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from obslib.catalog.declaration import Declaration
from obslib.catalog.families import ExternalMetric, Family
from obslib.errors import CatalogError

__all__ = ["Alert", "Dashboard", "Retention", "Runbook", "Severity"]


class Severity(StrEnum):
    """Who hears of an alert, and when."""

    PAGE = "page"
    TICKET = "ticket"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Runbook(Declaration):
    """What to do at three in the morning; ``path`` is relative to ``specs/runbooks``."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Alert(Declaration):
    """A PromQL condition over declared ``families`` that held for ``for_s`` seconds."""

    expression: str
    families: tuple[Family[...] | ExternalMetric, ...]
    severity: Severity
    for_s: float
    runbook: Runbook | None = None

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        for family in self.families:
            if family.name not in self.expression:
                raise CatalogError(f"alert {self.name!r} lists {family.name!r} but its expression does not use it")
        if self.severity is Severity.PAGE and self.runbook is None:
            raise CatalogError(f"alert {self.name!r} pages, so it needs a runbook")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Dashboard(Declaration):
    """A dashboard with a stable ``uid`` over declared ``families``."""

    uid: str
    title: str
    families: tuple[Family[...] | ExternalMetric, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Retention(Declaration):
    """One key of the retention policy; components that own the data refuse to start without it."""

    key: str
    documented_default: str
