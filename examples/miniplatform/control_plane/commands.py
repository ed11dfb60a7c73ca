"""The one path by which a command becomes events: validate, append in one transaction, wait for the views, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from starlette.responses import Response

from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.idempotency import Key, keep, key_of, stored, take
from miniplatform.control_plane.platform import Platform
from miniplatform.control_plane.problems import Refused
from miniplatform.store import names
from miniplatform.store.checkpoints import have_reached
from miniplatform.store.events import Actor, Conflict, NewEvent, append
from miniplatform.store.pool import Connection
from miniplatform.store.projections import targets
from obslib.access import Grant
from obslib_control_plane import Problem

__all__ = ["Decision", "actor_of", "execute"]

Claim = tuple[str, str, str]
"""Scope, name and the id of who takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a valid command comes to.

    ``claims`` are names to take and ``frees`` the id whose names are given back. ``secretly`` adds to the answer, within
    the transaction, what may be shown only this once: such a command takes no idempotency key. ``recheck`` is asked once the
    events are appended, when nobody else can append any more before the transaction ends; it raises Conflict to undo it.
    """

    events: Sequence[NewEvent]
    answer: Mapping[str, Any]
    claims: Sequence[Claim] = ()
    frees: str = ""
    secretly: Callable[[Connection], Awaitable[Mapping[str, Any]]] | None = None
    recheck: Callable[[Connection], Awaitable[None]] | None = None


async def execute(call: Call, operation: str, grant: Grant, decide: Callable[[], Awaitable[Decision]]) -> Response:
    """Run a command. The answer is 201 once the views hold its events.

    Raises what ``decide`` raises, Conflict when another was faster, and Refused (504) when the views do not follow.
    """
    platform = call.platform
    key = await key_of(call, grant.org_id or "")
    if key is not None and (known := await stored(call, key)) is not None:
        return known
    with platform.obs.with_tenant(grant.org_id) if grant.org_id else nullcontext():
        try:
            with platform.telemetry.commands.validating(operation):
                decision = await decide()
            answer, wanted = await _append(call, decision, None if decision.secretly else key)
        except Conflict:  # perhaps with this very command, sent twice at once
            if key is not None and (known := await stored(call, key)) is not None:
                return known
            raise
        await _wait(platform, wanted)
    return reply(answer, 201)


def actor_of(call: Call) -> Actor:
    """The actor as the event log knows it; a node acts as the system."""
    return ("system" if call.bearer.node_id else call.bearer.actor_type, call.bearer.actor_id)


async def _append(call: Call, decision: Decision, key: Key | None) -> tuple[dict[str, Any], dict[str, int]]:
    types = [event.event_type for event in decision.events]
    with call.platform.telemetry.commands.appending(types) as appending:
        async with call.platform.database.transaction("event_append") as connection:
            if key is not None:
                await take(connection, key)
            for scope, name, aggregate_id in decision.claims:
                await names.claim(connection, scope, name, aggregate_id)
            if decision.frees:
                await names.release(connection, decision.frees)
            ids = await append(
                connection,
                decision.events,
                actor=actor_of(call),
                request_id=call.request_id,
                traceparent=call.platform.obs.traces.traceparent(),
            )
            if decision.recheck is not None:
                await decision.recheck(connection)
            answer = {**decision.answer, "event_id": ids[-1], "request_id": call.request_id}
            if decision.secretly is not None:
                answer.update(await decision.secretly(connection))
            if key is not None:
                await keep(connection, key, answer)
        appending.done([(i, event.event_type, event.aggregate_type) for i, event in zip(ids, decision.events, strict=True)])
    return answer, targets(types, ids)


async def _wait(platform: Platform, wanted: Mapping[str, int]) -> None:
    newest = max(wanted.values())
    limit_s = platform.timings.projection_wait_s
    try:
        with platform.telemetry.commands.waiting(newest):
            async with asyncio.timeout(limit_s):
                seen = platform.notices.count
                while not await have_reached(platform.database, wanted):
                    await platform.notices.after(seen, timeout_s=0.1)
                    seen = platform.notices.count
    except (TimeoutError, psycopg.OperationalError):
        detail = f"accepted as event {newest}, but the views did not show it within {limit_s:g} s; read again later"
        raise Refused(Problem(status=504, detail=detail, code="timeout", is_retryable=False)) from None
