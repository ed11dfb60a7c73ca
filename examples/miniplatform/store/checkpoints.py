"""How far each projection has got, and the one way a projection advances.

The view's rows and its checkpoint move in one transaction under a lock on the checkpoint's row, so an event
is applied once whatever is killed when, and two projectors by mistake only wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from miniplatform.store.events import Event, read
from miniplatform.store.pool import Connection, Database
from miniplatform.store.projections import PROJECTIONS

__all__ = ["Advance", "Position", "advance", "have_reached", "positions", "standing"]

Applying = Callable[[str, Event], AbstractContextManager[object]]
"""What surrounds the application of one event to one projection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A projection's checkpoint beside the newest event it would consume, and the age of its oldest unapplied one."""

    projection: str
    applied_event_id: int
    head_event_id: int
    waiting_since: datetime | None = None
    updated_at: datetime | None = None

    @property
    def lag_events(self) -> int:
        """Newest event id it would consume minus its checkpoint, never below 0."""
        return max(self.head_event_id - self.applied_event_id, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What one batch came to: the events applied, and why it stopped when an event could not be."""

    applied: tuple[Event, ...]
    failure: Exception | None = None


async def positions(database: Database) -> list[Position]:
    """Where every projection stands."""
    names = list(PROJECTIONS)
    rows = await database.rows(
        "event_read",
        "SELECT p.name AS projection, coalesce(c.last_applied_event_id, 0) AS applied_event_id,"
        " coalesce(h.event_id, 0) AS head_event_id, o.occurred_at AS waiting_since, c.updated_at"
        " FROM unnest(%(names)s::text[], %(types)s::text[]) AS p (name, types)"
        " LEFT JOIN projection_checkpoints c ON c.projection_name = p.name"
        " LEFT JOIN LATERAL (SELECT max((SELECT max(event_id) FROM events WHERE event_type = t)) AS event_id"
        "   FROM unnest(string_to_array(p.types, ' ')) AS t) h ON true"
        " LEFT JOIN LATERAL (SELECT occurred_at FROM events WHERE event_type = ANY(string_to_array(p.types, ' '))"
        "   AND event_id > coalesce(c.last_applied_event_id, 0) AND h.event_id > coalesce(c.last_applied_event_id, 0)"
        "   ORDER BY event_id LIMIT 1) o ON true",
        {"names": names, "types": [" ".join(PROJECTIONS[name]) for name in names]},
    )
    return [Position(**row) for row in rows]


def standing(where: Sequence[Position], projections: Collection[str]) -> tuple[int, int]:
    """How far some projections together reflect the log, and the newest event that any of them consumes.

    Read the positions before the rows: the rows then hold at least what the first number promises.
    """
    read = [position for position in where if position.projection in projections]
    head = max((position.head_event_id for position in read), default=0)
    return min((position.applied_event_id for position in read if position.lag_events), default=head), head


async def advance(connection: Connection, projection: str, *, applying: Applying, limit: int = 100) -> Advance:
    """Apply the projection's next events inside the caller's transaction.

    The first event that cannot be applied ends the batch; the checkpoint stays before it. A database that goes
    away raises.
    """
    checkpoint = await _locked_checkpoint(connection, projection)
    consumed = PROJECTIONS[projection]
    applied: list[Event] = []
    failure: Exception | None = None
    for event in await read(connection, after=checkpoint, event_types=consumed, limit=limit):
        try:
            with applying(projection, event):
                async with connection.transaction():
                    await connection.execute(*consumed[event.event_type](event))
        except psycopg.OperationalError:
            raise
        except Exception as error:
            failure = error
            break
        applied.append(event)
    if applied:
        await connection.execute(
            "UPDATE projection_checkpoints SET last_applied_event_id = %s, updated_at = now() WHERE projection_name = %s",
            [applied[-1].event_id, projection],
        )
        await connection.execute("NOTIFY views")
    return Advance(applied=tuple(applied), failure=failure)


async def have_reached(database: Database, targets: Mapping[str, int]) -> bool:
    """Whether each projection named in ``targets`` has applied the event id given for it."""
    row = await database.row(
        "view_read",
        "SELECT count(*) AS reached FROM projection_checkpoints c"
        " JOIN unnest(%(names)s::text[], %(ids)s::bigint[]) AS t (name, event_id)"
        " ON c.projection_name = t.name AND c.last_applied_event_id >= t.event_id",
        {"names": list(targets), "ids": list(targets.values())},
    )
    return row is not None and row["reached"] == len(targets)


async def _locked_checkpoint(connection: Connection, projection: str) -> int:
    await connection.execute(
        "INSERT INTO projection_checkpoints (projection_name, last_applied_event_id) VALUES (%s, 0) ON CONFLICT DO NOTHING",
        [projection],
    )
    found = await connection.execute(
        "SELECT last_applied_event_id FROM projection_checkpoints WHERE projection_name = %s FOR UPDATE", [projection]
    )
    row = await found.fetchone()
    return 0 if row is None else int(row["last_applied_event_id"])
