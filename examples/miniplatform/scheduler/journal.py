"""Writes decisions to the log, so that none is ever taken twice.

A decision follows from a picture of the views. It is appended only while that picture shows every decision in
the log; if somebody else has decided since, nothing is written and the pass ends. The check runs in the
append's own transaction, under the log's lock, so a scheduler that is killed, or runs twice, does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from miniplatform.scheduler.reading import DECISIONS
from miniplatform.store.events import NewEvent, append
from miniplatform.store.pool import Connection, Database
from obslib.errors import ErrorClass
from obslib_scheduler import Scheduler as Telemetry

__all__ = ["DecidedElsewhere", "Journal"]

_ACTOR = ("system", "scheduler")
_TYPES = sorted(event_type for types in DECISIONS.values() for event_type in types)


class DecidedElsewhere(Exception):
    """Another scheduler holds the group or has decided since this pass began; look again."""

    error_class = ErrorClass.CONFLICT


class Journal:
    """Appends the decisions of one pass, which began when ``decided_event_id`` was the newest decision."""

    def __init__(self, database: Database, telemetry: Telemetry, *, decided_event_id: int, request_id: str) -> None:
        self._database = database
        self._telemetry = telemetry
        self._decided_event_id = decided_event_id
        self._request_id = request_id

    async def append(self, events: Sequence[NewEvent], *, lock: str, traceparent: str) -> list[int]:
        """Append ``events`` in one transaction under the lock named ``lock``; returns their ids.

        Raises DecidedElsewhere and appends nothing when somebody else was faster.
        """
        with self._telemetry.appends.appending([event.event_type for event in events], traceparent=traceparent) as appending:
            async with self._database.transaction("event_append") as connection:
                await _hold(connection, lock)
                ids = await append(
                    connection, events, actor=_ACTOR, request_id=self._request_id, traceparent=traceparent or None
                )
                await self._still_first(connection, before=ids[0])
            appending.done([(i, e.event_type, e.aggregate_type) for i, e in zip(ids, events, strict=True)])
        self._decided_event_id = ids[-1]
        return ids

    async def _still_first(self, connection: Connection, *, before: int) -> None:
        found = await connection.execute(
            "SELECT max((SELECT max(event_id) FROM events WHERE event_type = t AND event_id < %s)) AS newest"
            " FROM unnest(%s::text[]) t",
            [before, _TYPES],
        )
        row = await found.fetchone()
        newest = (row and row["newest"]) or 0
        if newest > self._decided_event_id:
            raise DecidedElsewhere(f"event {newest} was decided after this pass looked, at {self._decided_event_id}")


async def _hold(connection: Connection, lock: str) -> None:
    """Take the group's lock until the transaction ends; whoever has it is already deciding."""
    found = await connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS is_held", [lock])
    row = await found.fetchone()
    if not (row and row["is_held"]):
        raise DecidedElsewhere(f"{lock} is being decided about by another scheduler")
