"""What ``/readyz`` answers: the state of every check at one moment, and what follows from it.

Apart from the checks, because an answer must never cause one to run: a snapshot is built from results
that are already there, so a thousand probes cost a thousand small dicts and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from obslib.catalog.signals import Importance
from obslib.health.verdict import Status, Verdict

__all__ = ["CheckState", "Readiness", "Snapshot"]


class Readiness(StrEnum):
    """The component as a whole; every value but ``not_ready`` answers 200 (HLT-02)."""

    READY = "ready"
    DEGRADED = "degraded"
    PARTIAL = "partial"
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """One check at the moment of the snapshot.

    ``age_seconds`` counts from the last finished run and ``last_success`` is Unix time; both are ``None``
    before the first.
    """

    verdict: Verdict
    importance: Importance
    age_seconds: float | None = None
    last_success: float | None = None

    def as_dict(self) -> dict[str, object]:
        """The JSON form; ``last_success`` is RFC 3339 in UTC."""
        success = self.last_success
        return {
            "status": self.verdict.status.value,
            "importance": self.importance.value,
            "reason": self.verdict.reason,
            "detail": self.verdict.detail,
            "age_seconds": None if self.age_seconds is None else round(self.age_seconds, 3),
            "last_success": None if success is None else f"{datetime.fromtimestamp(success, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Readiness of one component, check by check. ``is_draining`` means it asked to be left alone."""

    component: str
    checks: Mapping[str, CheckState]
    is_draining: bool = False

    @property
    def status(self) -> Readiness:
        """The worst that any check makes of it; a check that does not apply has no say."""
        if self.is_draining:
            return Readiness.NOT_READY
        bad = {c.importance for c in self.checks.values() if c.verdict.status in (Status.FAILING, Status.UNKNOWN)}
        if Importance.REQUIRED in bad:
            return Readiness.NOT_READY
        if Importance.DEGRADES in bad:
            return Readiness.DEGRADED
        return Readiness.PARTIAL if Importance.OPTIONAL in bad else Readiness.READY

    @property
    def is_ready(self) -> bool:
        """Whether useful work is possible: 200 rather than 503."""
        return self.status is not Readiness.NOT_READY

    def as_dict(self) -> dict[str, object]:
        """The JSON form of ``/readyz``; ``draining`` is there only while it is true."""
        body: dict[str, object] = {"status": self.status.value, "component": self.component}
        if self.is_draining:
            body["draining"] = True
        body["checks"] = {name: state.as_dict() for name, state in self.checks.items()}
        return body
