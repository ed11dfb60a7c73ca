"""What ``changes`` needs to know, read from the event log: the platform's side of ``obslib.debug.History``."""

from __future__ import annotations

from collections.abc import Sequence

from miniplatform.store.pool import Database
from obslib.access import Grant, Scope
from obslib.debug import Window
from obslib.wire import EventRecord

__all__ = ["EVENT_COLUMNS", "PostgresHistory"]

EVENT_COLUMNS = (
    "SELECT event_id, event_type, aggregate_type, aggregate_id, occurred_at, aggregate_seq, actor_type, actor_id,"
    " org_id, app_id, env_id, request_id, correlation_id, traceparent, payload FROM events"
)
"""Everything an ``EventRecord`` holds."""


class PostgresHistory:
    """Reads the log of one org, whose id comes from the grant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changed(self, grant: Grant, window: Window) -> Sequence[EventRecord]:
        """The newest events in the window and one more, oldest first."""
        rows = await self._database.rows(
            "event_read",
            f"{EVENT_COLUMNS} WHERE org_id = %(org)s AND aggregate_type <> 'node'"
            " AND (%(instances)s OR aggregate_type <> 'instance')"
            " AND (%(app)s = '' OR app_id = %(app)s) AND (%(env)s = '' OR env_id = %(env)s)"
            " AND occurred_at >= %(since)s::timestamptz"
            " AND (%(until)s = '' OR occurred_at < nullif(%(until)s, '')::timestamptz)"
            " ORDER BY event_id DESC LIMIT %(limit)s",
            {
                "org": grant.require(Scope.EVENTS_READ), "instances": window.with_instances, "app": window.app_id,
                "env": window.env_id, "since": window.since, "until": window.until, "limit": window.limit + 1,
            },
        )  # fmt: skip
        return [EventRecord(**row) for row in reversed(rows)]

    async def before(self, grant: Grant, events: Sequence[EventRecord]) -> Sequence[EventRecord]:
        """What each aggregate was last told of, per type and process type, before the first of ``events``."""
        rows = await self._database.rows(
            "event_read",
            f"SELECT * FROM (SELECT DISTINCT ON (aggregate_id, event_type, payload->>'process_type') * FROM ({EVENT_COLUMNS}"
            "  WHERE org_id = %(org)s AND event_id < %(first)s AND aggregate_type = ANY(%(types)s)"
            "  AND aggregate_id = ANY(%(ids)s)) AS earlier"
            "  ORDER BY aggregate_id, event_type, payload->>'process_type', event_id DESC) AS newest ORDER BY event_id",
            {
                "org": grant.require(Scope.EVENTS_READ),
                "first": events[0].event_id,
                "types": sorted({event.aggregate_type for event in events}),
                "ids": sorted({event.aggregate_id for event in events}),
            },
        )
        return [EventRecord(**row) for row in rows]
