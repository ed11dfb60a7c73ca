"""The one door to shortening the event log, and why it is shut (RET-05, RET-06).

The log is the platform's memory and its audit of every mutation. Nobody shortens it by a default, a wildcard or a
mistake: whoever asks must administer the platform; a policy must name how long it is kept, the policy's id and an accepted
ADR; the request must name the same two; a record of the attempt must be written; and the host must have a tool for it. The
database refuses on its own besides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from obslib.access import Actor, Auditor, RequestInfo, Resource, Scope, decide
from obslib.catalog.platform import retention as signals
from obslib.errors import EventLogKept
from obslib.logs import Logger
from obslib.metrics import Registry
from obslib.retention.policy import Policy

__all__ = ["Discard", "EventLogGuard"]

Discard = Callable[[float], Awaitable[int]]
"""A host's tool: removes events before a Unix time and returns how many."""

_ACTION = "event_log.discard"
_SCOPE = Scope.NODES_ADMIN


class Telemetry(Protocol):
    """As much of an Observability as is needed here."""

    @property
    def metrics(self) -> Registry:
        """Where refusals are counted."""
        ...

    @property
    def log(self) -> Logger:
        """Where refusals are told."""
        ...


class EventLogGuard:
    """Judges every attempt to discard part of the event log. Without a ``discard`` tool every one is refused."""

    def __init__(self, obs: Telemetry, policy: Policy, auditor: Auditor, *, discard: Discard | None = None) -> None:
        self._obs = obs
        self._policy = policy
        self._auditor = auditor
        self._discard = discard
        self._refusals = obs.metrics[signals.EVENT_LOG_DISCARD_REFUSALS].labels()

    async def discard_event_log(
        self,
        actor: Actor,
        *,
        policy_id: str,
        adr: str,
        now: float,
        request: RequestInfo = RequestInfo(),  # noqa: B008  frozen
    ) -> int:
        """Remove the events that the policy no longer keeps; returns how many. An operator's, with the scope nodes:admin.

        Raises EventLogKept with the first condition that is not met. Either way a record is written first; without one,
        AuditUnavailable is raised and nothing is done.
        """
        resource = Resource(type="event_log", id=policy_id)
        reason, told = self._judged(actor, resource) or self._verdict(policy_id, adr)
        if reason:
            self._refusals.inc()
            self._obs.log.event(signals.EVENT_LOG_DISCARD_REFUSED, reason=reason, detail=told)
        await self._auditor.note(
            actor,
            action=_ACTION,
            resource=resource,
            is_allowed=not reason,
            reason=reason or f"{policy_id} {adr}",
            request=request,
        )
        horizon = self._policy.horizon(signals.AUDIT_EVENTS.key, now)
        if reason or self._discard is None or horizon is None:
            raise EventLogKept(f"the event log is kept: {told}")
        return await self._discard(horizon)

    def _judged(self, actor: Actor, resource: Resource) -> tuple[str, str] | None:
        """Why this actor may not ask at all; None for an operator who administers the platform."""
        decision = decide(actor, _SCOPE, None, resource)
        if decision.is_allowed:
            return None
        return decision.reason, f"only an operator of the platform with the scope {str(_SCOPE)!r} may have it shortened"

    def _verdict(self, policy_id: str, adr: str) -> tuple[str, str]:
        """The reason to refuse as a closed word, and as a clause for people; both empty when there is none."""
        kept = self._policy[signals.AUDIT_EVENTS.key]
        decided = kept.decided
        if not policy_id:
            return "no_policy_id", "the request names no policy_id, and nothing is discarded without one"
        if not adr:
            return "no_adr", "the request names no adr, and nothing is discarded without an accepted one"
        if kept.seconds is None or decided is None:
            return "permanent", f"{kept.key} is {kept.text!r} in {kept.source!r}; a policy and an ADR must say otherwise there"
        if policy_id != decided.policy_id or adr != decided.adr:
            return "other_decision", f"{policy_id!r} and {adr!r} are not the decision in {kept.source!r}"
        if not decided.is_accepted:
            return "adr_not_accepted", f"{adr} is not accepted, by adr_status in {kept.source!r}"
        if self._discard is None:
            return "no_tool", "this platform has no tool that discards events, and the database lets nobody delete them"
        return "", ""
