"""One projector's work: look where every projection stands, apply what waits, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from psycopg.types.json import Jsonb

from miniplatform.store.checkpoints import Position, advance, positions, standing
from miniplatform.store.events import Event
from miniplatform.store.pool import Database
from miniplatform.store.projections import PROJECTIONS
from obslib.wire import ComponentReport
from obslib_control_plane import Projecting, Projector

__all__ = ["Work"]

_BATCH = 100
_LOG_SIZE = """
    SELECT pg_total_relation_size(oid) AS size_bytes, CASE WHEN relpages > 0 AND reltuples >= 0 THEN
        reltuples::float8 / relpages * (pg_relation_size(oid) / current_setting('block_size')::int) END AS rows
    FROM pg_class WHERE oid = 'events'::regclass"""
"""As the planner estimates it: the rows per page of the last analysis, for as many pages as there are now."""


class Work:
    """Steps of the projector's loop; each raises ``psycopg.OperationalError`` while the database is away."""

    def __init__(self, database: Database, telemetry: Projector, *, report_every_s: float) -> None:
        self._database = database
        self._telemetry = telemetry
        self._report_every_s = report_every_s
        self._reported_at = float("-inf")
        self._errors: dict[str, str] = {}

    async def look(self) -> list[Position]:
        """Where every projection stands."""
        where, now = await positions(self._database), time.time()
        self._telemetry.stand(
            [
                Projecting(
                    projection=at.projection,
                    applied_event_id=at.applied_event_id,
                    lag_events=at.lag_events,
                    lag_seconds=max(now - at.waiting_since.timestamp(), 0.0) if at.waiting_since else 0.0,
                )
                for at in where
            ]
        )
        return where

    async def apply(self, projection: str) -> Exception | None:
        """Apply the next events of one projection; returns why it stopped when an event could not be applied."""
        async with self._database.transaction("projection_apply") as connection:
            done = await advance(connection, projection, applying=self._applying, limit=_BATCH)
        if done.applied:
            self._telemetry.moved()
        self._errors.pop(projection, None)
        if done.failure is not None:
            self._errors[projection] = f"{type(done.failure).__name__}: {done.failure}"
        return done.failure

    async def report(self, where: Sequence[Position]) -> None:
        """Leave a sign of life for the control plane, at most once per period."""
        if time.monotonic() - self._reported_at < self._report_every_s:
            return
        cursor, head = standing(where, PROJECTIONS)
        report = ComponentReport(cursor_event_id=cursor, head_event_id=head, errors=self._errors)
        await self._database.rows(
            "checkpoint_write",
            "INSERT INTO component_reports (component, seen_at, cursor_event_id, report)"
            " VALUES ('projector', now(), %(cursor)s, %(report)s) ON CONFLICT (component) DO UPDATE SET"
            " seen_at = EXCLUDED.seen_at, cursor_event_id = EXCLUDED.cursor_event_id, report = EXCLUDED.report RETURNING 1",
            {"cursor": cursor, "report": Jsonb(report.model_dump(mode="json"))},
        )
        await self._measure_log()
        self._reported_at = time.monotonic()

    async def _measure_log(self) -> None:
        found = await self._database.row("event_read", _LOG_SIZE)
        if found is not None:
            self._telemetry.log_holds(rows=found["rows"], size_bytes=found["size_bytes"])

    def _applying(self, projection: str, event: Event) -> AbstractContextManager[object]:
        return self._telemetry.applying(
            projection, event_id=event.event_id, event_type=event.event_type, traceparent=event.traceparent or ""
        )
