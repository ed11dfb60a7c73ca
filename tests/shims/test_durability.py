"""Replication and backups, as the control plane's shim reports them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_control_plane import Backups, Replicas
from obslib_control_plane.replication import watch_replication

GAUGES = ("db_replicas_expected", "db_replicas_connected", "db_replication_lag_seconds")


@pytest.fixture
async def obs() -> AsyncIterator[RecordedObservability]:
    """A control plane's telemetry, recorded."""
    with observability("control-plane") as obs:
        yield obs


async def replication_of(obs: RecordedObservability) -> tuple[str, str, list[float | None]]:
    """What the check says once it has run, with its reason, and what the gauges say then."""
    state = (await obs.health.refresh()).checks["replication"].verdict
    return state.status.value, state.reason, [obs.sample(name) for name in GAUGES]


async def test_replicas_are_counted_and_missed(obs: RecordedObservability) -> None:
    """Enough of them is ok, fewer than expected is failing, and the lag is that of the worst."""
    told = Replicas(connected=2, expected=2, lag_seconds=0.5)

    async def ask() -> Replicas:
        return told

    watch_replication(obs, ask)
    assert await replication_of(obs) == ("ok", "", [2.0, 2.0, 0.5])
    told = Replicas(connected=0, expected=2)
    assert await replication_of(obs) == ("failing", "replicas_missing", [2.0, 0.0, None])
    told = Replicas(connected=0, expected=0)
    assert await replication_of(obs) == ("ok", "", [0.0, 0.0, None])


async def test_what_nobody_looked_at_is_absent(obs: RecordedObservability) -> None:
    """A database that does not answer, or a host without replication, is not a host with 0 replicas."""
    is_up = True

    async def ask() -> Replicas:
        if not is_up:
            raise ConnectionError("refused")
        return Replicas(connected=1, expected=1, lag_seconds=0.0)

    watch_replication(obs, ask)
    await replication_of(obs)
    is_up = False
    status, _, gauges = await replication_of(obs)
    assert (status, gauges) == ("failing", [None, None, None])
    watch_replication(obs, None)
    assert await replication_of(obs) == ("not_applicable", "no_replication", [None, None, None])


async def test_a_backup_is_counted_timed_and_dated(obs: RecordedObservability) -> None:
    """One run is one count, one duration and, when it is good, the time of the newest good one."""
    backups = Backups(obs)
    assert isinstance(obs.clock, FixedClock)
    with backups.running("postgres_base"):
        obs.clock.advance(90)
    assert obs.sample("backup_runs_total", kind="postgres_base", result="success") == 1.0
    assert obs.sample("backup_duration_seconds_sum", kind="postgres_base", result="success") == 90.0
    assert obs.sample("backup_last_success_timestamp_seconds", kind="postgres_base") == obs.clock.now()
    assert obs.sample("backup_last_success_timestamp_seconds", kind="volume") is None


async def test_a_failed_backup_leaves_the_last_good_one(obs: RecordedObservability) -> None:
    """It is counted and logged with its class, the caller hears of it, and the date stays."""
    backups = Backups(obs)
    backups.known("volume", 1_000.0)
    with pytest.raises(TimeoutError), backups.running("volume"):
        raise TimeoutError("object store")
    assert obs.sample("backup_runs_total", kind="volume", result="failure") == 1.0
    assert obs.sample("backup_last_success_timestamp_seconds", kind="volume") == 1_000.0
    [line] = obs.events("backup.failed")
    assert (line["level"], line["kind"], line["error_class"]) == ("error", "volume", "timeout")


async def test_without_backups_nothing_is_said_about_them(obs: RecordedObservability) -> None:
    """Absent is not 0: a host that makes no backups does not claim that none failed."""
    assert obs.sample("backup_runs_total", kind="volume", result="failure") is None
    assert obs.sample("backup_stale_volumes") is None
    Backups(obs).stale_volumes(3)
    assert obs.sample("backup_stale_volumes") == 3.0
