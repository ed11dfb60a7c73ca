"""The event log: what an event is, how events are appended and how they are read.

Everything the platform knows came in through ``append``. It takes one lock per database until the
transaction ends, so ids become visible in the order they were given: a reader that has seen event n will
never meet a smaller one it has not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from miniplatform.store.pool import Connection
from obslib.errors import ErrorClass

__all__ = ["SYSTEM", "Actor", "Conflict", "Event", "NewEvent", "append", "read"]

Actor = tuple[str, str]
"""Type (``user``, ``service_principal`` or ``system``) and id."""

SYSTEM: Actor = ("system", "miniplatform")
_LOCK = 0x6C6F67  # "log"
_TAKE_TURN = "SELECT pg_advisory_xact_lock(%s)"


class Conflict(Exception):
    """The aggregate has moved on since the caller looked, or a name is taken; look again."""

    error_class = ErrorClass.CONFLICT


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to append. ``org_id`` is None only for nodes; ``traceparent`` overrides the transaction's."""

    aggregate_type: str
    aggregate_id: str
    event_type: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    org_id: str | None = None
    app_id: str | None = None
    env_id: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as it stands in the log, without what only its writer needed."""

    event_id: int
    occurred_at: datetime
    aggregate_type: str
    aggregate_id: str
    aggregate_seq: int
    event_type: str
    actor_type: str
    actor_id: str
    org_id: str | None
    app_id: str | None
    env_id: str | None
    request_id: str
    correlation_id: str | None
    traceparent: str | None
    payload: Mapping[str, Any]


async def append(
    connection: Connection,
    events: Sequence[NewEvent],
    *,
    actor: Actor,
    request_id: str,
    traceparent: str | None = None,
    expected_seq: Mapping[str, int] | None = None,
) -> list[int]:
    """Append ``events`` inside the caller's transaction and return their ids.

    ``expected_seq`` holds, for aggregates among the events, the sequence number the caller has seen last (0 for
    none yet); Conflict is raised when the aggregate is elsewhere, and nothing is appended.
    """
    await connection.execute(_TAKE_TURN, [_LOCK])
    reached = await _reached(connection, events)
    for aggregate_id, seen in (expected_seq or {}).items():
        if reached[aggregate_id] != seen:
            raise Conflict(f"{aggregate_id} is at {reached[aggregate_id]}, not at {seen}; read it again")
    ids = []
    for event in events:
        reached[event.aggregate_id] += 1
        ids.append(await _insert(connection, event, reached[event.aggregate_id], actor, request_id, traceparent))
    await connection.execute("NOTIFY events")
    return ids


async def read(connection: Connection, *, after: int, event_types: Collection[str], limit: int) -> list[Event]:
    """The next ``limit`` events of some types, in order."""
    found = await connection.execute(
        "SELECT event_id, occurred_at, aggregate_type, aggregate_id, aggregate_seq, event_type, actor_type, actor_id,"
        " org_id, app_id, env_id, request_id, correlation_id, traceparent, payload FROM events"
        " WHERE event_type = ANY(%(types)s) AND event_id > %(after)s ORDER BY event_id LIMIT %(limit)s",
        {"types": list(event_types), "after": after, "limit": limit},
    )
    return [Event(**row) for row in await found.fetchall()]


async def _reached(connection: Connection, events: Sequence[NewEvent]) -> dict[str, int]:
    aggregates = {(event.aggregate_type, event.aggregate_id) for event in events}
    found = await connection.execute(
        "SELECT a.id, coalesce((SELECT max(aggregate_seq) FROM events e WHERE e.aggregate_type = a.type"
        " AND e.aggregate_id = a.id), 0) AS seq FROM unnest(%s::text[], %s::text[]) AS a (type, id)",
        [[kind for kind, _ in aggregates], [aggregate_id for _, aggregate_id in aggregates]],
    )
    return {row["id"]: row["seq"] for row in await found.fetchall()}


async def _insert(
    connection: Connection, event: NewEvent, seq: int, actor: Actor, request_id: str, traceparent: str | None
) -> int:
    inserted = await connection.execute(
        "INSERT INTO events (aggregate_type, aggregate_id, aggregate_seq, event_type, actor_type, actor_id, org_id, app_id,"
        " env_id, request_id, payload, correlation_id, causation_id, traceparent)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING event_id",
        [
            event.aggregate_type, event.aggregate_id, seq, event.event_type, *actor, event.org_id, event.app_id,
            event.env_id, request_id, Jsonb(event.payload), event.correlation_id, event.causation_id,
            event.traceparent or traceparent or None,
        ],
    )  # fmt: skip
    row = await inserted.fetchone()
    assert row is not None  # RETURNING gives one row or raises
    return int(row["event_id"])
