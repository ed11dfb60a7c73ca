"""What one requirement is, and what a row of its kind has to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["EVIDENCE", "REFERENCES", "Kind", "Ledger", "Row"]

SIGNALS = (
    "metrics", "log_events", "spans", "checks", "loops", "operations", "cursors", "retention", "alerts", "dashboards",
    "runbooks",
)  # fmt: skip
"""References to declarations of the catalog, by name; each of them says in ``serves=`` which rows it answers."""

REFERENCES = (*SIGNALS, "fields", "commands", "settings", "code", "docs", "tests")
"""All kinds of references, in the order in which a row lists them."""


class Kind(StrEnum):
    """What a requirement asks for."""

    LOG_FIELD = "log field"
    METRIC = "metric"
    SPAN = "span"
    HEALTH_CHECK = "health check"
    COMMAND = "command"
    ALERT = "alert"
    DASHBOARD = "dashboard"
    POLICY = "policy"
    SPEC = "spec"


_KEEPERS = tuple(name for name in REFERENCES if name not in ("docs", "tests"))
"""What can keep a policy; paper and tests cannot."""

EVIDENCE: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
    Kind.LOG_FIELD: (("log_events", "fields"), ("tests",)),
    Kind.METRIC: (("metrics",), ("tests",)),
    Kind.SPAN: (("spans",), ("tests",)),
    Kind.HEALTH_CHECK: (("checks", "code"), ("tests",)),
    Kind.COMMAND: (("commands",), ("tests",)),
    Kind.ALERT: (("alerts",), ("runbooks",), ("tests",)),
    Kind.DASHBOARD: (("dashboards",), ("tests",)),
    Kind.POLICY: (_KEEPERS, ("tests",)),
    Kind.SPEC: (("docs",), ("tests",)),
}
"""What a satisfied row of each kind must name: one reference at least out of every group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One requirement: whose sentence it is, what it asks, what satisfies it.

    ``lines`` are the architecture document's; a row from elsewhere names its ``source`` instead. ``open`` says what is
    missing; while it says something the row is open, whatever else it names.
    """

    id: str
    lines: str = ""
    source: str = ""
    kind: Kind
    requirement: str
    references: Mapping[str, tuple[str, ...]]
    open: str = ""

    def of(self, *kinds: str) -> tuple[str, ...]:
        """The references of these kinds."""
        return tuple(name for kind in kinds for name in self.references.get(kind, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All rows, and how many each of the ``sections`` has by its prefix, kept apart so that a lost row is noticed."""

    sections: Mapping[str, int]
    rows: tuple[Row, ...]

    @property
    def expected(self) -> tuple[str, ...]:
        """The ids that there have to be."""
        return tuple(f"{prefix}-{number:02d}" for prefix, rows in self.sections.items() for number in range(1, rows + 1))
