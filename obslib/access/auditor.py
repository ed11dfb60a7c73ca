"""The door for what must be on record: it decides, writes, and only then opens.

Every access to a tenant's logs and to the audit trail itself passes here (STN-07, WLG-09 to WLG-11). When the trail
cannot be written nothing is read, whoever asks and whatever would have been decided.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from obslib.access.actor import Actor
from obslib.access.audit.chain import is_chain_name
from obslib.access.audit.record import PLATFORM_CHAIN, AuditRecord
from obslib.access.audit.sink import AuditSink, SinkFailure
from obslib.access.audit.writer import ChainWriter
from obslib.access.decision import Decision, decide
from obslib.access.emergency import Emergency
from obslib.access.grant import Lease, issue
from obslib.access.reading import Opening, Reading, RequestInfo
from obslib.access.resource import Resource
from obslib.access.scopes import AUDITED_SCOPES, Scope
from obslib.access.scribe import Scribe
from obslib.catalog.platform import audit as signals
from obslib.errors import AuditUnavailable, SettingsError

if TYPE_CHECKING:
    from obslib.classify import Classifier
    from obslib.clock import Clock
    from obslib.ids import IdSource
    from obslib.logs import Logger
    from obslib.metrics import Registry
    from obslib.redaction import Redactor

__all__ = ["Auditor", "Telemetry"]

T = TypeVar("T")


class Telemetry(Protocol):
    """As much of an Observability as an Auditor needs."""

    @property
    def clock(self) -> Clock:
        """What dates records and ends emergencies."""
        ...

    @property
    def ids(self) -> IdSource:
        """Where record ids come from."""
        ...

    @property
    def classifier(self) -> Classifier:
        """Gives what ended a reading its error class."""
        ...

    @property
    def redactor(self) -> Redactor:
        """Takes secrets out of what callers send."""
        ...

    @property
    def metrics(self) -> Registry:
        """Where records are counted."""
        ...

    @property
    def log(self) -> Logger:
        """Where failures of the trail are told."""
        ...


class Auditor:
    """Grants access on record. One per process; safe for any number of tasks of one event loop.

    ``deadline_s`` bounds each record: a trail that takes longer has failed. Raises SettingsError when there is no sink
    or no deadline.
    """

    def __init__(self, sink: AuditSink, obs: Telemetry, *, deadline_s: float = 3.0, policy_version: str = "1") -> None:
        if sink is None:
            raise SettingsError(
                "there is no audit sink, and without one nothing may be read; pass audit=PostgresAudit(…) or JsonLinesAudit(…)"
            )
        if isinstance(deadline_s, bool) or not isinstance(deadline_s, int | float) or not 0 < deadline_s < math.inf:
            raise SettingsError(f"deadline_s of an Auditor is {deadline_s!r}; give the seconds a record may take, such as 3.0")
        self._writer = ChainWriter(sink)
        self._obs = obs
        self._deadline_s = deadline_s
        self._scribe = Scribe(obs.clock, obs.ids, obs.redactor, obs.classifier, policy_version=policy_version)
        self._closing: set[asyncio.Task[Any]] = set()
        records = obs.metrics[signals.AUDIT_RECORDS]
        self._kept, self._lost = records.labels(result="success"), records.labels(result="failure")
        self._refused = obs.metrics[signals.AUDIT_REFUSED_READS]

    def reading(
        self,
        actor: Actor,
        scope: Scope,
        org_id: str | None,
        *,
        action: str,
        resource: Resource,
        request: RequestInfo = RequestInfo(),  # noqa: B008  frozen
        selectors: Mapping[str, str] | None = None,
        since: str | None = "",
        until: str | None = "",
        emergency: Emergency | None = None,
    ) -> Opening:
        """Let ``actor`` use ``scope`` in ``org_id`` for the length of an ``async with``, with a record before and one after.

        ``org_id`` comes from the request's path: None means the platform itself, empty an org that is not there.
        ``selectors`` are the filters asked for, ``since`` and ``until`` the window (RFC 3339), empty or None when open. An
        ``emergency`` lets an operator read in a tenant's org; who comes from outside is on record in both chains. Raises
        AccessDenied once the refusal is on record in the actor's own chain, and AuditUnavailable when a record cannot be
        written: then the block is not run.

        A stream whose end is elsewhere awaits the call instead and closes what it gets, whatever happens.
        """
        decision = decide(actor, scope, org_id, resource, emergency=self._in_force(emergency, org_id))
        return Opening(self._open(decision, self._scribe.about(decision, action, request, selectors or {}, since, until)))

    async def refused(self, decision: Decision, *, action: str, request: RequestInfo) -> None:
        """Put a refusal by ``decide`` on record, for a scope that needs no record when it is granted.

        The refusal stands whether or not the record can be written; one that cannot is counted and logged.
        """
        told = self._scribe.about(decision, action, request, {}, "", "")
        await self._record_or_count(self._scribe.refused(told))

    async def note(
        self, actor: Actor, *, action: str, resource: Resource, is_allowed: bool, reason: str, request: RequestInfo
    ) -> None:
        """Put an act of the platform's own on record; raises AuditUnavailable when that fails, and the act must not be done."""
        await self._record_or_refuse(
            self._scribe.noted(actor, action, resource, is_allowed=is_allowed, reason=reason, request=request)
        )

    async def settle(self) -> None:
        """Wait for the last records of readings that were cut off; call it when the process ends."""
        while self._closing:
            await asyncio.wait(self._closing)

    # --- inside ---------------------------------------------------------------------------------

    async def _open(self, decision: Decision, told: AuditRecord) -> Reading:
        if not decision.is_allowed:
            await self._record_refusal(decision, self._scribe.refused(told))
            raise decision.refusal()
        lease = Lease(self._obs.clock, expires_at=decision.emergency.expires_at if decision.emergency else None)
        opening = self._tracked(self._record_beginnings(decision, told))
        try:
            opens = await asyncio.shield(opening)
        except BaseException as error:
            self._tracked(self._end_unread(opening, error))
            raise
        lease.record_id = opens[-1].event_id

        async def finish(lines: int, error: BaseException | None) -> None:
            await asyncio.shield(self._tracked(self._record_ends(opens, lines, error)))

        return Reading(issue(decision, lease), lease, finish)

    async def _record_beginnings(self, decision: Decision, told: AuditRecord) -> list[AuditRecord]:
        opens: list[AuditRecord] = []
        for chain in _chains_of(decision):
            record = self._scribe.opened(told, chain)
            try:
                await self._record_or_refuse(record)
            except AuditUnavailable as error:
                await self._record_ends(opens, 0, error)
                raise
            opens.append(record)
        return opens

    async def _end_unread(self, opening: asyncio.Task[list[AuditRecord]], error: BaseException) -> None:
        """Give an end to the beginnings that were still being written when nobody waited for them any more."""
        await asyncio.wait((opening,))
        if not opening.cancelled() and opening.exception() is None:
            await self._record_ends(opening.result(), 0, error)

    def _tracked(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that outlives whoever waits for it, and that ``settle`` waits for."""
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    def _in_force(self, emergency: Emergency | None, org_id: str | None) -> Emergency | None:
        """The emergency while it counts, and only for what can be the id of an org: its chain must tell of it."""
        if emergency is None or not emergency.is_in_force(self._obs.clock.now()) or not is_chain_name(org_id or ""):
            return None
        return emergency

    async def _record_refusal(self, decision: Decision, record: AuditRecord) -> None:
        if decision.scope in AUDITED_SCOPES:
            await self._record_or_refuse(record)
        else:
            await self._record_or_count(record)

    async def _record_or_refuse(self, record: AuditRecord) -> None:
        failure = await self._append(record)
        if failure is not None:
            self._refused.labels(reason=failure.reason).inc()
            self._obs.log.failure(
                signals.AUDIT_REFUSED_READ, failure, audit_id=record.event_id, action=record.action, reason=failure.reason
            )
            raise AuditUnavailable(
                "the access could not be put on record, so nothing was read or done; try again shortly"
            ) from failure

    async def _record_or_count(self, record: AuditRecord) -> None:
        failure = await self._append(record)
        if failure is not None:
            self._obs.log.failure(
                signals.AUDIT_RECORD_LOST, failure, audit_id=record.opened_by or record.event_id, action=record.action,
                reason=failure.reason, count=record.lines or 0,
            )  # fmt: skip

    async def _record_ends(self, opens: list[AuditRecord], lines: int, error: BaseException | None) -> None:
        for record in opens:
            await self._record_or_count(self._scribe.closed(record, lines, error))

    async def _append(self, record: AuditRecord) -> SinkFailure | None:
        """Add a record to its chain; what prevented it, as a value, so that nobody can forget to count it.

        A sink that does not heed cancellation is left behind at the deadline; the chain waits for it, its readers do not.
        """
        work = asyncio.ensure_future(self._writer.append(record))
        try:
            await asyncio.wait((work,), timeout=self._deadline_s)
        except asyncio.CancelledError:
            self._lost.inc()  # perhaps it was kept; nobody waited to hear
            raise
        finally:
            work.cancel()
        failure = work.result() if work.done() and not work.cancelled() else SinkFailure("no answer in time", reason="timeout")
        (self._kept if failure is None else self._lost).inc()
        return failure


def _chains_of(decision: Decision) -> tuple[str, ...]:
    """Where an access is on record: the org's chain, and that of whoever comes from outside."""
    own = decision.actor.org_id or PLATFORM_CHAIN
    subject = decision.org_id or PLATFORM_CHAIN
    return (own,) if own == subject else (own, subject)
