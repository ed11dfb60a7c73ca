"""How large the event log is: the bytes it takes, and the rows that PostgreSQL estimates, on a real server (EXT-09)."""

from __future__ import annotations

import psycopg

from miniplatform.projector.work import Work
from miniplatform.store.events import NewEvent, append
from miniplatform.store.pool import Database
from obslib.testing import observability
from obslib_control_plane import instrument_projector


async def test_the_projector_shows_how_large_the_log_is(database: Database, migrated_url: str) -> None:
    """No estimate before the first analysis; afterwards it follows the log as it grows, without counting rows."""
    obs = observability("projector")
    telemetry = instrument_projector(
        obs, figures=database.figures, timeouts=(), ping=lambda: database.row("health_probe", "SELECT 1")
    )
    work = Work(database, telemetry, report_every_s=0)
    await work.report(await work.look())
    assert obs.sample("event_log_rows") is None
    empty = obs.sample("event_log_size_bytes") or 0.0
    await grow(database, 1_000)
    with psycopg.connect(migrated_url, autocommit=True) as owner:
        owner.execute("ANALYZE events")
    await grow(database, 1_000)
    await work.report(await work.look())
    assert (obs.sample("event_log_size_bytes") or 0.0) > empty + 2_000 * 100
    assert 1_600 <= (obs.sample("event_log_rows") or 0.0) <= 2_400


async def grow(database: Database, count: int) -> None:
    """Append so many events."""
    events = [
        NewEvent(
            aggregate_type="org", aggregate_id=f"org_{number}", event_type="org.created", payload={"name": "x" * 40},
            org_id="org_1",
        )
        for number in range(count)
    ]  # fmt: skip
    async with database.transaction("event_append") as connection:
        await append(connection, events, actor=("system", "test"), request_id="req_1", traceparent=None)
