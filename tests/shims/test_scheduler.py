"""The scheduler's shim turns passes, groups and decisions into the catalog's signals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from obslib import ErrorClass
from obslib.catalog.platform import control_plane as cp
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_scheduler import Scheduler, instrument

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
GROUP = {"env_id": f"env_{ULID}", "process_type": "web"}
CAUSE = {"group_spec_hash": "sha256:abc", "deploy_id": f"dep_{ULID}"}
PLACE = {"instance_id": f"inst_{ULID}", "node_id": f"node_{ULID}"}


class Away(Exception):
    """The database does not answer."""

    error_class = ErrorClass.UNAVAILABLE


class PoolIsEmpty(Exception):
    """A wait for a connection ran out of time."""


class Faster(Exception):
    """Another scheduler appended first."""

    error_class = ErrorClass.CONFLICT


@dataclass
class Host:
    """What a scheduler would answer when its shim asks."""

    is_away: bool = False
    waiting: int = 0
    figures: dict[str, int] = field(default_factory=lambda: {"in_use": 1, "idle": 2, "maximum": 10, "waiting": 3})

    async def ping(self) -> None:
        """Fail as the database does."""
        if self.is_away:
            raise Away


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands still."""
    return FixedClock()


@pytest.fixture
def host() -> Host:
    """The scheduler behind the shim."""
    return Host()


@pytest.fixture
def obs(clock: FixedClock) -> Iterator[RecordedObservability]:
    """A scheduler's observability, recorded."""
    with observability("scheduler", clock=clock) as recorded:
        recorded.health.stop()  # checks run when a test asks
        yield recorded


@pytest.fixture
def scheduler(obs: RecordedObservability, host: Host) -> Scheduler:
    """The shim, wired to the host."""
    return instrument(
        obs, figures=lambda: host.figures, timeouts=(PoolIsEmpty,), ping=host.ping, waiting=lambda: host.waiting, period_s=5.0
    )


async def one_pass(scheduler: Scheduler, clock: FixedClock) -> None:
    """A pass that allocates one instance, as a scheduler does it."""
    async for it in scheduler.groups.passes:
        with (
            it,
            scheduler.groups.reconciling(**GROUP, traceparent=TRACEPARENT),
            scheduler.decisions.deciding("allocated", process_type="web", node_id=PLACE["node_id"]),
        ):
            with scheduler.appends.appending(["instance.allocated"], traceparent=TRACEPARENT) as appending:
                clock.advance(0.25)
                appending.done([(14, "instance.allocated", "instance")])
            scheduler.decisions.decided("allocated", **GROUP, **CAUSE, **PLACE)
        scheduler.groups.passes.stop()


async def test_a_pass_is_one_trace(obs: RecordedObservability, scheduler: Scheduler, clock: FixedClock) -> None:
    """TRC-02: loop, group, decision and append, each below the one before; the group is linked to its deploy."""
    await one_pass(scheduler, clock)
    spans = list(reversed(obs.spans()))
    assert [span.name for span in spans] == [
        "scheduler.loop", "scheduler.group_reconcile", "scheduler.allocate", "event.append",
    ]  # fmt: skip
    parents = [span.parent.span_id if span.parent else None for span in spans]
    assert parents == [None, *(span.context.span_id for span in spans[:-1])]
    assert [[f"{link.context.trace_id:032x}" for link in span.links] for span in spans] == [[], [TRACE], [], [TRACE]]


async def test_a_decision_leaves_its_evidence(obs: RecordedObservability, scheduler: Scheduler, clock: FixedClock) -> None:
    """One line with group, deploy, hash, instance and node, one with the event, and both in the counters."""
    await one_pass(scheduler, clock)
    [decided] = obs.events("scheduler.decided")
    assert {**GROUP, **CAUSE, **PLACE, "decision": "allocated", "linked_trace_ids": [TRACE]}.items() <= decided.items()
    [appended] = obs.events("event.appended")
    assert (appended["event_id"], appended["event_type"], appended["request_id"]) == (
        14, "instance.allocated", decided["request_id"],
    )  # fmt: skip
    assert obs.sample("scheduler_placement_decisions_total", decision="allocated") == 1
    assert obs.sample("event_append_total", result="success") == 1
    assert obs.sample("event_append_duration_seconds_sum", result="success") == 0.25
    assert obs.sample("scheduler_group_reconcile_duration_seconds_count", result="success") == 1
    assert obs.sample("scheduler_loop_runs_total", result="success") == 1
    assert obs.sample("scheduler_loop_duration_seconds_count") == 1


def test_an_instance_without_a_place_says_why(obs: RecordedObservability, scheduler: Scheduler, host: Host) -> None:
    """Quota and capacity stay distinct, and the group shows as waiting."""
    scheduler.decisions.unschedulable("no_capacity_memory", **GROUP, **CAUSE)
    scheduler.groups.put_aside("no_capacity_memory")
    host.waiting = 1
    [line] = obs.events("scheduler.decided")
    assert (line["decision"], line["reason"]) == ("unschedulable", "no_capacity_memory")
    assert obs.sample("scheduler_placement_decisions_total", decision="unschedulable") == 1
    assert obs.sample("scheduler_unschedulable_total", reason="no_capacity_memory") == 1
    assert obs.sample("scheduler_unschedulable_total", reason="no_nodes_active") == 0
    assert obs.sample("scheduler_backoffs_total", reason="no_capacity_memory") == 1
    assert obs.sample(cp.SCHEDULER_GROUPS_IN_BACKOFF) == 1


def test_an_instance_without_an_address_is_counted_at_the_pool_too(obs: RecordedObservability, scheduler: Scheduler) -> None:
    """Whether the pool is empty or nobody answers for it; want of memory is no want of addresses (EXT-03)."""
    for reason in ("ipam_exhausted", "ipam_unavailable", "no_capacity_memory"):
        scheduler.decisions.unschedulable(reason, **GROUP, **CAUSE)
    assert obs.sample("ipam_allocation_failures_total", kind="instance") == 2
    assert obs.sample("scheduler_unschedulable_total", reason="ipam_exhausted") == 1


def test_a_group_that_fails_is_counted_and_explained(obs: RecordedObservability, scheduler: Scheduler) -> None:
    """A reason outside the closed set becomes internal; the line says when it is tried again."""
    with scheduler.groups.reconciling(**GROUP, traceparent=TRACEPARENT) as run:
        run.fail("out of luck", Away("no answer"))
    assert not run.ok
    assert run.error is not None
    scheduler.groups.failed(run.error, **GROUP, reason=run.reason, attempt=2, backoff_seconds=20.0)
    assert obs.sample("scheduler_failures_total", reason="internal") == 1
    assert obs.sample("scheduler_backoffs_total", reason="internal") == 1
    assert obs.sample("scheduler_group_reconcile_duration_seconds_count", result="failure") == 1
    [line] = obs.events("scheduler.group_failed")
    expected = {**GROUP, "reason": "internal", "attempt": 2, "backoff_seconds": 20.0, "error_class": "unavailable"}
    assert expected.items() <= line.items()


def test_a_deploy_that_is_over_is_timed_by_how_it_ended(obs: RecordedObservability, scheduler: Scheduler) -> None:
    """Success and failure are apart, and the objective of two minutes is an edge of the histogram (EXT-11)."""
    scheduler.deploys.settled(has_succeeded=True, seconds=3.0)
    scheduler.deploys.settled(has_succeeded=True, seconds=121.0)
    scheduler.deploys.settled(has_succeeded=False, seconds=600.0)
    within = {
        le: obs.sample("deploy_convergence_duration_seconds_bucket", result="success", le=le) for le in ("120.0", "300.0")
    }
    assert within == {"120.0": 1, "300.0": 2}
    assert obs.sample("deploy_convergence_duration_seconds_count", result="failure") == 1


def test_an_instance_is_timed_until_it_has_a_place(obs: RecordedObservability, scheduler: Scheduler) -> None:
    """However long it had to wait for room (EXT-04)."""
    scheduler.deploys.placed(seconds=0.3)
    scheduler.deploys.placed(seconds=45.0)
    assert obs.sample("scheduler_time_to_schedule_seconds_count") == 2
    assert obs.sample("scheduler_time_to_schedule_seconds_bucket", le="30.0") == 1


def test_nodes_are_counted_by_state_and_drains_by_their_time(obs: RecordedObservability, scheduler: Scheduler) -> None:
    """Nothing is shown before a pass has looked; then a state without a node has none, and is not absent (EXT-05)."""
    states = ("active", "draining", "disabled", "degraded", "offline")
    assert [obs.sample("scheduler_nodes", state=state) for state in states] == [None] * 5
    assert obs.sample("scheduler_drains_blocked") is None
    scheduler.nodes.counted({"active": 3, "draining": 2}, blocked=1)
    assert [obs.sample("scheduler_nodes", state=state) for state in states] == [3, 2, 0, 0, 0]
    assert obs.sample("scheduler_drains_blocked") == 1
    scheduler.nodes.emptied(seconds=61.0)
    scheduler.nodes.counted({"active": 3, "disabled": 2}, blocked=0)
    assert [obs.sample("scheduler_nodes", state=state) for state in states] == [3, 0, 2, 0, 0]
    assert obs.sample("scheduler_drains_blocked") == 0
    assert obs.sample("scheduler_drain_duration_seconds_sum") == 61.0
    assert obs.sample("scheduler_drain_duration_seconds_bucket", le="60.0") == 0


def test_a_conflict_is_no_failure(obs: RecordedObservability, scheduler: Scheduler) -> None:
    """Somebody else was faster; the append loop is as healthy as before."""
    with pytest.raises(Faster), scheduler.appends.appending(["instance.allocated"], traceparent=""):
        raise Faster
    assert [obs.sample("event_append_total", result=r) for r in ("success", "conflict", "failure")] == [0, 1, 0]
    assert obs.events("loop.failed") == []
    assert obs.events("event.appended") == []


def test_the_pool_is_measured(obs: RecordedObservability, scheduler: Scheduler, clock: FixedClock) -> None:
    """Size, waits, time-outs and operations by class; never a statement."""
    with scheduler.database.query("view_read"), scheduler.database.acquiring():
        clock.advance(0.5)
    with pytest.raises(PoolIsEmpty), scheduler.database.acquiring():
        raise PoolIsEmpty
    assert [obs.sample(cp.DB_POOL_CONNECTIONS, state=state) for state in ("in_use", "idle")] == [1, 2]
    assert (obs.sample(cp.DB_POOL_CONNECTIONS_MAX), obs.sample(cp.DB_POOL_WAITERS)) == (10, 3)
    assert obs.sample(cp.DB_POOL_ACQUIRE_TIMEOUTS) == 1
    assert obs.sample("db_pool_acquire_duration_seconds_sum") == 0.5
    assert obs.sample("db_query_duration_seconds_sum", operation="view_read") == 0.5
    [span] = obs.spans()
    assert (span.name, dict(span.attributes or {})["operation"]) == ("db.query", "view_read")


async def test_readiness_is_database_and_progress(
    obs: RecordedObservability, scheduler: Scheduler, host: Host, clock: FixedClock
) -> None:
    """HLT-SC-01: before the first pass it is not ready, after it is, and without a database it is not."""
    assert await _readiness(obs) == ("not_ready", "ok", "not_run_yet")
    await one_pass(scheduler, clock)
    # a loop that was asked to stop cannot be progressing; the next pass begins it anew
    async for it in scheduler.groups.passes:
        with it:
            assert (await _readiness(obs))[1:] == ("ok", "ok")
            host.is_away = True
            assert await _readiness(obs) == ("not_ready", "database_unreachable", "ok")
            assert obs.sample(cp.DB_UP) == 0
        scheduler.groups.passes.stop()


async def _readiness(obs: RecordedObservability) -> tuple[str, str, str]:
    """The status, and of both checks the reason, or ok."""
    snapshot = await obs.health.refresh()
    said = [snapshot.checks[name].verdict for name in ("db_connectivity", "loop_progress")]
    first, second = (v.reason or v.status.value for v in said)
    return snapshot.status.value, first, second
