"""Writes the words of an audit record, free of secrets and bounded; where it is kept is not known here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from obslib.access.actor import Actor
from obslib.access.audit.record import PLATFORM_CHAIN, AuditRecord, Phase
from obslib.access.decision import Decision
from obslib.access.reading import RequestInfo
from obslib.access.resource import Resource
from obslib.ids import mint

if TYPE_CHECKING:
    from obslib.classify import Classifier
    from obslib.clock import Clock
    from obslib.ids import IdSource
    from obslib.redaction import Redactor

__all__ = ["Scribe"]

_LONGEST = 512
_LOOKED_AT = 4 * _LONGEST
_EDGE = 512
_MOST_SELECTORS = 32
_LEFT = (asyncio.CancelledError, GeneratorExit)


class Scribe:
    """Makes records. Every text is cleaned, None is empty, and what is longer than 512 characters is cut.

    Past 32 selectors the rest is left out. The name of the chain alone stays what it is: a trail refuses one that is none.
    """

    def __init__(self, clock: Clock, ids: IdSource, redactor: Redactor, classifier: Classifier, *, policy_version: str) -> None:
        self._clock = clock
        self._ids = ids
        self._redactor = redactor
        self._classifier = classifier
        self._policy_version = self._clean(policy_version)

    def about(
        self,
        decision: Decision,
        action: str,
        request: RequestInfo,
        selectors: Mapping[str, str],
        since: str | None,
        until: str | None,
    ) -> AuditRecord:
        """What is known once it has been decided; ``opened`` or ``refused`` makes a record of it."""
        emergency = decision.emergency
        return AuditRecord(
            **self._stamped(decision.actor, action, decision.resource, request),
            phase=Phase.WHOLE,
            org_id=decision.actor.org_id or PLATFORM_CHAIN,
            subject_org_id=self._clean(decision.org_id),
            scope=str(decision.scope),
            selectors={
                self._clean(name): self._clean(self._redactor.value(value, name))
                for name, value in list(selectors.items())[:_MOST_SELECTORS]
            },
            since=self._clean(since),
            until=self._clean(until),
            decision="allow" if decision.is_allowed else "deny",
            reason=decision.reason,
            emergency_reason=self._clean(emergency.reason) if emergency else "",
            emergency_expires=_moment(emergency.expires_at) if emergency else "",
            result="pending",
        )

    def opened(self, told: AuditRecord, chain: str) -> AuditRecord:
        """The record of a beginning, in ``chain``."""
        return replace(told, event_id=mint("aud", self._ids), phase=Phase.OPEN, org_id=chain)

    def closed(self, opened: AuditRecord, lines: int, error: BaseException | None) -> AuditRecord:
        """The other half of ``opened``: a reader who left is no error, and what was returned counts either way."""
        is_error = error is not None and not isinstance(error, _LEFT)
        return replace(
            opened,
            timestamp=_moment(self._clock.now()),
            event_id=mint("aud", self._ids),
            phase=Phase.CLOSE,
            opened_by=opened.event_id,
            reason="reader_left" if isinstance(error, _LEFT) else opened.reason,
            result="error" if is_error else "ok",
            error_class=self._classifier.error_class(error).value if is_error else "",
            lines=lines,
        )

    def refused(self, told: AuditRecord) -> AuditRecord:
        """The record of a refusal, in the chain of whoever asked."""
        return replace(told, result="error", error_class=_class_of(told.reason))

    def noted(
        self, actor: Actor, action: str, resource: Resource, *, is_allowed: bool, reason: str, request: RequestInfo
    ) -> AuditRecord:
        """The record of an act of the platform's own, in its chain."""
        return AuditRecord(
            **self._stamped(actor, action, resource, request),
            phase=Phase.WHOLE,
            org_id=PLATFORM_CHAIN,
            subject_org_id="",
            scope="",
            decision="allow" if is_allowed else "deny",
            reason=self._clean(reason),
            result="ok" if is_allowed else "error",
        )

    def _stamped(self, actor: Actor, action: str, resource: Resource, request: RequestInfo) -> dict[str, Any]:
        return {
            "timestamp": _moment(self._clock.now()),
            "event_id": mint("aud", self._ids),
            "request_id": self._clean(request.request_id),
            "trace_id": self._clean(request.trace_id),
            "actor_type": str(actor.actor_type),
            "actor_id": self._clean(actor.actor_id),
            "actor_org_id": self._clean(actor.org_id),
            "scopes": tuple(sorted(map(str, actor.scopes))),
            "action": self._clean(action),
            "resource_type": self._clean(resource.type),
            "resource_id": self._clean(resource.id),
            "resource_path": self._clean(resource.path),
            "source_ip": self._clean(request.source_ip),
            "user_agent": self._clean(request.user_agent),
            "policy_version": self._policy_version,
        }

    def _clean(self, said: object) -> str:
        """``said`` without secrets and without what a database or a terminal cannot hold, then cut to a length.

        Of a text that is not looked at to its end, the last of what was seen may be part of a secret, and goes as well.
        """
        text = "" if said is None else str(said)
        clean = self._redactor.text(text[:_LOOKED_AT])
        if len(text) > _LOOKED_AT:
            clean = clean[:-_EDGE]
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in clean[:_LONGEST])


def _moment(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _class_of(reason: str) -> str:
    return "not_found" if reason == "foreign_org" else "forbidden"
