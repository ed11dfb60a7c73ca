"""What readiness asks the database, in the background."""

from __future__ import annotations

import psycopg

from miniplatform.store.checkpoints import positions
from miniplatform.store.events import SYSTEM, NewEvent, append
from miniplatform.store.pool import Database
from miniplatform.store.projections import CRITICAL
from obslib_control_plane import Heard, ProjectorState, Replicas

__all__ = ["Probes"]

_REPLICAS_EXPECTED = 0
_PROBE = NewEvent(aggregate_type="node", aggregate_id="probe", event_type="node.state_changed", payload={})


class Probes:
    """Short queries; each raises when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> None:
        """Ask for nothing."""
        await self._database.row("health_probe", "SELECT 1")

    async def append(self) -> None:
        """Append an event and take it back."""
        async with self._database.transaction("health_probe") as connection:
            await append(connection, [_PROBE], actor=SYSTEM, request_id="probe")
            raise psycopg.Rollback

    async def projector(self) -> ProjectorState:
        """When the projector last reported, and how far the critical projections are behind."""
        lag = {at.projection: at.lag_events for at in await positions(self._database) if at.projection in CRITICAL}
        return ProjectorState(age_s=await self._age_s("projector"), critical_lag=lag)

    async def scheduler_age_s(self) -> float | None:
        """Seconds since the scheduler last reported."""
        return await self._age_s("scheduler")

    async def last_heard(self) -> dict[str, Heard]:
        """Every node but the disabled ones, and when it was last heard."""
        rows = await self._database.rows(
            "health_probe",
            "SELECT n.node_id, n.name, extract(epoch FROM r.seen_at)::float8 AS at FROM nodes n"
            " LEFT JOIN node_reports r USING (node_id) WHERE n.state <> 'disabled'",
        )
        return {row["node_id"]: Heard(name=row["name"], at=row["at"]) for row in rows}

    async def replicas(self) -> Replicas:
        """Standbys that stream from this database; the miniplatform starts none, but who attaches one sees it."""
        row = await self._database.row(
            "health_probe",
            "SELECT count(*) FILTER (WHERE state = 'streaming')::int AS connected,"
            " max(CASE WHEN replay_lsn >= pg_current_wal_lsn() THEN 0"
            "   ELSE extract(epoch FROM coalesce(replay_lag, now() - reply_time)) END)::float8 AS lag FROM pg_stat_replication",
        )
        assert row is not None
        return Replicas(connected=row["connected"], expected=_REPLICAS_EXPECTED, lag_seconds=row["lag"])

    async def _age_s(self, component: str) -> float | None:
        row = await self._database.row(
            "health_probe",
            "SELECT extract(epoch FROM now() - seen_at)::float8 AS age FROM component_reports WHERE component = %(name)s",
            {"name": component},
        )
        return None if row is None else float(row["age"])
