"""The way from a wish to a served request, and what can be said about each link of it (DBG-1-10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Finding", "Link", "State", "first_broken", "worst"]


class Link(StrEnum):
    """The links, in order: each is only worth looking at when those before it hold."""

    DESIRED = "desired"
    ALLOCATED = "allocated"
    BOOTED = "booted"
    READY = "ready"
    ROUTED = "routed"
    APPLIED = "applied"
    REACHABLE = "reachable"
    HEALTHY = "healthy"


class State(StrEnum):
    """What is known of a link."""

    OK = "ok"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    FAILING = "failing"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One link, judged: a sentence for people, a reason code for programs, the evidence for both."""

    link: Link
    state: State
    cause: str
    reason_code: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)
    subject: str = ""
    """Id of the instance or route it is about, or the process type; empty when it is about the platform."""
    since: str | None = None
    """When the link broke, as far as anything tells; what changed before that may be why."""

    def as_dict(self) -> dict[str, object]:
        """The finding as it appears in a description."""
        return {
            "link": str(self.link),
            "state": str(self.state),
            "cause": self.cause,
            "reason_code": self.reason_code,
            "subject": self.subject,
            "since": self.since,
            "evidence": dict(self.evidence),
        }


_GRAVITY = {State.NOT_APPLICABLE: 0, State.OK: 1, State.WAITING: 2, State.UNKNOWN: 3, State.FAILING: 4}
_ORDER = {link: place for place, link in enumerate(Link)}


def worst(findings: Iterable[Finding], otherwise: Finding) -> Finding:
    """The gravest finding, the first of equals; ``otherwise`` when there is none."""
    return max(findings, key=lambda finding: _GRAVITY[finding.state], default=otherwise)


def first_broken(findings: Iterable[Finding]) -> Finding | None:
    """The link to look at: the first that fails or is unknown, else the first that is waited for, else ``None``.

    An unknown link counts like a failing one, because what fails after it may fail because of it.
    """
    broken = [finding for finding in findings if finding.state not in (State.OK, State.NOT_APPLICABLE)]
    return min(broken, key=lambda finding: (finding.state is State.WAITING, _ORDER[finding.link]), default=None)
