"""The scheduler on a real database: it converges, decides nothing twice, and goes on where a killed one stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from miniplatform.scheduler.journal import Journal
from miniplatform.scheduler.reading import Reader
from miniplatform.scheduler.world import World
from miniplatform.store.pool import Database
from tests.miniplatform.cluster import GIB, TIMINGS, TRACE, TRACEPARENT, ULID, A, B, Cluster, Scheduler, event

pytestmark = pytest.mark.slow


@pytest.fixture
async def cluster(database: Database) -> AsyncIterator[Cluster]:
    """A cluster of two agents on an empty log."""
    cluster = Cluster(database)
    await cluster.nodes(A, B)
    yield cluster
    for scheduler in cluster.schedulers:
        scheduler.obs.close()


# --- converging -----------------------------------------------------------------------------------


def converged(scheduler: Scheduler) -> dict[str, float | None]:
    """How many deploys are over, by how they ended; one that was overtaken is none of them."""
    name = "deploy_convergence_duration_seconds_count"
    return {result: scheduler.obs.sample(name, result=result) for result in ("success", "failure")}


async def test_a_deploy_converges(cluster: Cluster) -> None:
    """Its instances are spread over the nodes, its status goes to succeeded, and all of it is one trace."""
    scheduler = cluster.scheduler()
    deploy = await cluster.deploy(1)
    await cluster.settle(scheduler)
    assert await cluster.allocated() == [A, B]
    assert await cluster.statuses(deploy) == [("rolling", ""), ("succeeded", "")]
    found = await cluster.rows("SELECT DISTINCT traceparent, actor_id, correlation_id FROM events WHERE actor_id = 'scheduler'")
    assert found == [{"traceparent": TRACEPARENT, "actor_id": "scheduler", "correlation_id": deploy}]
    assert scheduler.obs.sample("consumer_cursor_lag_events", consumer="scheduler") == 0
    assert converged(scheduler) == {"success": 1, "failure": 0}
    assert scheduler.obs.sample("scheduler_time_to_schedule_seconds_count") == 2
    assert 0 <= (scheduler.obs.sample("scheduler_time_to_schedule_seconds_sum") or 0.0) < 120


async def test_the_spans_of_a_decision(cluster: Cluster) -> None:
    """TRC-02: scheduler.loop > scheduler.group_reconcile > scheduler.allocate > event.append, linked to the deploy."""
    scheduler = cluster.scheduler()
    await cluster.deploy(1, replicas=1)
    await scheduler.work()
    spans = {span.context.span_id: span for span in scheduler.obs.spans()}
    at = next(
        s for s in spans.values() if s.name == "event.append" and (s.attributes or {})["event_type"] == "instance.allocated"
    )
    path = [at.name]
    while at.parent is not None:
        at = spans[at.parent.span_id]
        path.append(at.name)
    assert path == ["event.append", "scheduler.allocate", "scheduler.group_reconcile", "scheduler.loop"]
    [group] = [span for span in spans.values() if span.name == "scheduler.group_reconcile"]
    assert [f"{link.context.trace_id:032x}" for link in group.links] == [TRACE]


async def test_a_rollout_replaces_every_instance(cluster: Cluster) -> None:
    """Two releases, one after the other; at the end only the new one serves, and nothing old is left running."""
    scheduler = cluster.scheduler()
    await cluster.deploy(1)
    await cluster.settle(scheduler)
    deploy = await cluster.deploy(2)
    await cluster.settle(scheduler, turns=20)
    assert await cluster.serving() == [("web", "2"), ("web", "2")]
    assert (await cluster.statuses(deploy))[-1] == ("succeeded", "")
    gone = await cluster.rows(
        "SELECT DISTINCT desired_state, desired_reason FROM instances_desired WHERE spec -> 'command' ->> 1 = '1'"
    )
    assert gone == [{"desired_state": "stopped", "desired_reason": "rollout_replace"}]


async def test_a_process_type_that_is_gone_leaves(cluster: Cluster) -> None:
    """The next release has no worker, so its workers drain; the deploy waits for that."""
    scheduler = cluster.scheduler()
    await cluster.deploy(1, replicas=1, process_types=("web", "worker"))
    await cluster.settle(scheduler)
    await cluster.deploy(2, replicas=1)
    await cluster.settle(scheduler, turns=20)
    assert await cluster.serving() == [("web", "2")]


async def test_a_deploy_that_crashes_fails_and_stays_failed(cluster: Cluster) -> None:
    """Three replacements, then the deploy has failed; what failed last is left for describe."""
    scheduler = cluster.scheduler()
    deploy = await cluster.deploy(1, replicas=1)
    await cluster.settle(scheduler, crash=True, turns=20)
    assert await cluster.statuses(deploy) == [("rolling", ""), ("failed", "replacements_exhausted")]
    assert len(await cluster.allocated()) == 4
    assert converged(scheduler) == {"success": 0, "failure": 1}


async def test_an_overtaken_deploy_is_settled(cluster: Cluster) -> None:
    """A deploy that another replaced before it was through does not roll for ever."""
    scheduler = cluster.scheduler()
    first = await cluster.deploy(1)
    await scheduler.work()
    await cluster.project()
    await cluster.deploy(2)
    await cluster.settle(scheduler, turns=20)
    assert (await cluster.statuses(first))[-1] == ("failed", "superseded")
    assert converged(scheduler) == {"success": 1, "failure": 0}


async def test_a_deploy_whose_groups_are_not_in_their_view_yet_is_left_alone(cluster: Cluster) -> None:
    """The view of the deploys may be ahead of that of the groups; nothing was overtaken."""
    scheduler = cluster.scheduler()
    release, deploy = f"rel_{ULID}1", f"dep_{ULID}1"
    await cluster.append(
        event(deploy, "deploy.created", release_id=release, kind="deploy"),
        event(f"env_{ULID}0", "env.desired_release_set", release_id=release, deploy_id=deploy, process_types=["web"]),
    )
    await cluster.project("deploys")
    await scheduler.work()
    assert await cluster.statuses(deploy) == []


async def test_a_silent_node_is_emptied_and_comes_back(cluster: Cluster) -> None:
    """Its instance is placed elsewhere with the reason node_offline; reports make it active again."""
    scheduler = cluster.scheduler()
    await cluster.deploy(1)
    await cluster.settle(scheduler)
    await cluster.heard(B, 60.0)
    scheduler.clock.advance(TIMINGS.silent_after_s)
    await cluster.settle(scheduler)
    assert await cluster.allocated() == [A, A, B]
    assert await cluster.rows("SELECT desired_state, desired_reason FROM instances_desired WHERE node_id = '" + B + "'") == [
        {"desired_state": "stopped", "desired_reason": "node_offline"}
    ]
    await cluster.heard(B, 0.0)
    await cluster.settle(scheduler)
    assert await cluster.rows("SELECT DISTINCT state FROM nodes") == [{"state": "active"}]


# --- nowhere to go --------------------------------------------------------------------------------


async def test_a_group_without_room_waits_calmly_and_moves_when_there_is_some(cluster: Cluster) -> None:
    """The reason is reported, the tries are few, and a new node ends the wait at once."""
    scheduler = cluster.scheduler()
    await cluster.deploy(1, replicas=1, memory_bytes=2 * GIB)
    await scheduler.work()
    await cluster.project()
    await scheduler.work(passes=4)
    assert await cluster.blocked() == [("no_capacity_memory", 1)]
    assert scheduler.obs.sample("scheduler_unschedulable_total", reason="no_capacity_memory") == 1
    assert scheduler.obs.sample("scheduler_groups_in_backoff") == 1
    scheduler.clock.advance(10.0)
    await scheduler.work()
    assert await cluster.blocked() == [("no_capacity_memory", 2)]
    await cluster.nodes(f"node_{ULID}C", memory_bytes=4 * GIB)
    await cluster.settle(scheduler)
    assert await cluster.allocated() == [f"node_{ULID}C"]
    assert await cluster.blocked() == []


async def test_one_group_that_cannot_be_read_stops_no_other(cluster: Cluster) -> None:
    """A manifest that is no manifest puts its group aside; the other group converges."""
    scheduler = cluster.scheduler()
    await cluster.deploy(1, replicas=1)
    release = f"rel_{ULID}9"
    manifest = {"process": {"bad": {"command": 7}}}
    await cluster.tell(event(release, "release.created", manifest=manifest, manifest_hash="x"))
    async with cluster.database.transaction("projection_apply") as connection:
        await connection.execute(
            "INSERT INTO env_desired_releases SELECT env_id, 'bad', org_id, app_id, %s, deploy_id, event_id, traceparent"
            " FROM env_desired_releases",
            [release],
        )
        await connection.execute(
            "INSERT INTO env_scale SELECT env_id, 'bad', org_id, app_id, 1, event_id, traceparent FROM env_scale"
        )
    await scheduler.work(passes=3)
    await cluster.obey()
    assert await cluster.serving() == [("web", "1")]
    assert await cluster.blocked() == [("internal", 1)]
    [line] = scheduler.obs.events("scheduler.group_failed")
    assert line["process_type"] == "bad"


# --- deciding once --------------------------------------------------------------------------------


async def test_nothing_is_decided_twice_while_the_views_lag(cluster: Cluster) -> None:
    """Passes over views that do not show the last decisions decide nothing, in this scheduler and in one just started."""
    assert await _decides_once_while_views_lag(cluster)


async def test_deciding_from_stale_views_is_noticed_mutant(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that trusts whatever the views show allocates twice, and the check above sees it."""
    read = Reader.world

    async def trusting(self: Reader) -> World:
        return replace(await read(self), is_current=True)

    monkeypatch.setattr(Reader, "world", trusting)
    assert not await _decides_once_while_views_lag(cluster)


async def test_two_schedulers_with_one_picture_decide_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both looked before either decided; the slower one appends nothing and fails nothing."""
    slower = await _race(cluster, monkeypatch)
    assert len(await cluster.allocated()) == 2
    assert slower.obs.sample("event_append_total", result="conflict") == 1
    assert slower.obs.sample("scheduler_loop_runs_total", result="failure") == 0


async def test_appending_without_looking_back_is_noticed_mutant(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check under the log's lock, both would allocate."""

    async def careless(self: Journal, connection: object, *, before: int) -> None:
        return None

    monkeypatch.setattr(Journal, "_still_first", careless)
    await _race(cluster, monkeypatch)
    assert len(await cluster.allocated()) == 4


@pytest.mark.parametrize("survived", range(4))
async def test_a_scheduler_killed_between_two_steps_leaves_nothing_half_done(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """Whatever it had committed stands, and the next scheduler does the rest."""
    deploy = await cluster.deploy(1, replicas=3)
    commit, commits = Journal.append, iter(range(100))

    async def killed(self: Journal, *arguments: Any, **named: Any) -> list[int]:
        if next(commits) == survived:
            raise KeyboardInterrupt
        return await commit(self, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            await cluster.scheduler().work()
    await cluster.settle(cluster.scheduler())
    assert len(await cluster.allocated()) == 3
    assert (await cluster.statuses(deploy))[-1] == ("succeeded", "")


# --- a database that goes away --------------------------------------------------------------------


async def test_a_lost_database_fails_passes_and_nothing_else(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop fails with class unavailable and goes on; when the database is back, so is the scheduler."""
    scheduler = cluster.scheduler()
    deploy = await cluster.deploy(1)

    async def gone(self: Reader) -> World:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "world", gone)
        await scheduler.work(passes=2)
    assert [line["error_class"] for line in scheduler.obs.events("loop.failed")] == ["unavailable"] * 2
    await cluster.settle(scheduler)
    assert (await cluster.statuses(deploy))[-1] == ("succeeded", "")


async def _decides_once_while_views_lag(cluster: Cluster) -> bool:
    await cluster.deploy(1)
    await cluster.scheduler().work(passes=3)
    await cluster.scheduler().work(passes=2)
    return len(await cluster.allocated()) == 2


async def _race(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    """Two schedulers read one picture, then both work; returns the second."""
    await cluster.deploy(1)
    picture = await Reader(cluster.database).world()

    async def the_same(self: Reader) -> World:
        return picture

    monkeypatch.setattr(Reader, "world", the_same)
    faster, slower = cluster.scheduler(), cluster.scheduler()
    await faster.work()
    await slower.work()
    return slower
