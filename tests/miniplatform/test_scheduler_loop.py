"""The scheduler on a real database: it converges, decides nothing twice, and goes on where a killed one stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from miniplatform.config import Timings
from miniplatform.scheduler.backoff import Backoff
from miniplatform.scheduler.journal import Journal
from miniplatform.scheduler.loop import SchedulerLoop
from miniplatform.scheduler.main import ERRORS
from miniplatform.scheduler.reading import Reader
from miniplatform.scheduler.world import World
from miniplatform.store.checkpoints import advance
from miniplatform.store.events import SYSTEM, NewEvent, append
from miniplatform.store.pool import Database
from miniplatform.store.projections import PROJECTIONS
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_scheduler import instrument

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FA"
ORG, APP, ENV = f"org_{ULID}0", f"app_{ULID}0", f"env_{ULID}0"
A, B = f"node_{ULID}A", f"node_{ULID}B"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
GIB = 2**30
TIMINGS = Timings(drain_s=0.001, silent_after_s=5.0)


class Scheduler:
    """One scheduler, recorded; several may work on one database."""

    def __init__(self, database: Database) -> None:
        self.clock = FixedClock()
        self.obs: RecordedObservability = observability("scheduler", clock=self.clock, errors=ERRORS)
        self.backoff = Backoff(base_s=10.0, cap_s=30.0)
        self.telemetry = instrument(
            self.obs, figures=database.figures, timeouts=(), ping=lambda: database.rows("health_probe", "SELECT 1"),
            waiting=lambda: len(self.backoff), period_s=0.0,
        )  # fmt: skip
        self.loop = SchedulerLoop(self.obs, self.telemetry, database, self.backoff, TIMINGS)

    async def work(self, passes: int = 1) -> None:
        """Make passes; what fails one is contained by the loop, as in life."""
        async for it in self.telemetry.groups.passes:
            with it:
                await self.loop.make_pass(it)
            passes -= 1
            if not passes:
                self.telemetry.groups.passes.stop()


class Cluster:
    """The rest of the platform: the log, a projector that works when asked, nodes that report, agents that obey."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.schedulers: list[Scheduler] = []

    def scheduler(self) -> Scheduler:
        """Start one more scheduler."""
        self.schedulers.append(Scheduler(self.database))
        return self.schedulers[-1]

    async def tell(self, aggregate_id: str, event_type: str, **payload: Any) -> None:
        """Append one event and show it in the views."""
        kind = event_type.partition(".")[0]
        ids = {} if kind == "node" else {"org_id": ORG, "app_id": APP, "env_id": ENV}
        event = NewEvent(aggregate_type=kind, aggregate_id=aggregate_id, event_type=event_type, payload=payload, **ids)
        async with self.database.transaction("event_append") as connection:
            await append(connection, [event], actor=SYSTEM, request_id="req", traceparent=TRACEPARENT)
        await self.project()

    async def project(self) -> None:
        """Bring every view up to date."""
        for projection in PROJECTIONS:
            async with self.database.transaction("projection_apply") as connection:
                advanced = await advance(connection, projection, applying=lambda *_: nullcontext())
            assert advanced.failure is None, advanced.failure

    async def nodes(self, *names: str, memory_bytes: int = GIB) -> None:
        """Enrol agents that have just reported."""
        for name in names:
            await self.tell(name, "node.enrolled", name=name, kind="agent", address="127.0.0.1", memory_bytes=memory_bytes)
            await self.heard(name, 0.0)

    async def heard(self, node_id: str, seconds_ago: float) -> None:
        """Let a node's last report be so long ago."""
        async with self.database.transaction("checkpoint_write") as connection:
            await connection.execute(
                "INSERT INTO node_reports (node_id, consumer, seen_at)"
                " VALUES (%(id)s, 'agent', now() - %(ago)s * interval '1 s')"
                " ON CONFLICT (node_id) DO UPDATE SET seen_at = EXCLUDED.seen_at",
                {"id": node_id, "ago": seconds_ago},
            )

    async def deploy(self, version: int, *, replicas: int = 2, process_types: tuple[str, ...] = ("web",), **spec: Any) -> str:
        """Deploy a release whose processes say ``version``; returns the deploy."""
        release, deploy = f"rel_{ULID}{version}", f"dep_{ULID}{version}"
        process = {"command": ["serve", str(version)], "memory_bytes": GIB // 8, **spec}
        manifest = {"process": dict.fromkeys(process_types, process)}
        await self.tell(release, "release.created", manifest=manifest, manifest_hash=f"hash-{version}")
        await self.tell(deploy, "deploy.created", release_id=release, kind="deploy")
        for process_type in process_types:
            await self.tell(ENV, "env.scale_set", process_type=process_type, replicas=replicas)
        await self.tell(ENV, "env.desired_release_set", release_id=release, deploy_id=deploy, process_types=list(process_types))
        return deploy

    async def obey(self, *, crash: bool = False) -> None:
        """Let the agents do what the views tell them."""
        await self.project()
        for row in await self.rows(
            "SELECT instance_id, node_id, desired_state, coalesce(status, '') AS status FROM instances_desired"
            " LEFT JOIN instances_status USING (instance_id, node_id) ORDER BY instance_id"
        ):
            wanted = {"running": "failed" if crash else "ready", "draining": "draining", "stopped": "stopped"}[
                row["desired_state"]
            ]
            if row["status"] not in (wanted, "stopped", "failed"):
                await self.tell(
                    row["instance_id"], "instance.status_changed", status=wanted, node_id=row["node_id"], is_final=crash
                )

    async def settle(self, scheduler: Scheduler, *, crash: bool = False, turns: int = 12) -> None:
        """Pass and obey in turns until nothing is appended any more."""
        for _ in range(turns):
            before = await self.newest()
            await scheduler.work()
            await self.obey(crash=crash)
            if before == await self.newest():
                return
        raise AssertionError(f"the platform has not settled after {turns} turns")

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query finds."""
        return await self.database.rows("view_read", query)

    async def newest(self) -> int:
        """The id of the newest event."""
        [row] = await self.rows("SELECT coalesce(max(event_id), 0) AS newest FROM events")
        return int(row["newest"])

    async def allocated(self) -> list[str]:
        """The node of every allocation in the log."""
        found = await self.rows(
            "SELECT payload ->> 'node_id' AS node FROM events WHERE event_type = 'instance.allocated' ORDER BY 1"
        )
        return [row["node"] for row in found]

    async def statuses(self, deploy: str) -> list[tuple[str, str]]:
        """Every status of a deploy, and why."""
        found = await self.rows(
            "SELECT payload ->> 'status' AS status, payload ->> 'reason' AS reason FROM events"
            f" WHERE event_type = 'deploy.status_changed' AND aggregate_id = '{deploy}' ORDER BY event_id"
        )
        return [(row["status"], row["reason"]) for row in found]

    async def serving(self) -> list[tuple[str, str]]:
        """Process type and command of every instance that is wanted and ready."""
        found = await self.rows(
            "SELECT process_type, spec -> 'command' ->> 1 AS version FROM instances_desired JOIN instances_status"
            " USING (instance_id) WHERE desired_state = 'running' AND status = 'ready' ORDER BY 1, 2"
        )
        return [(row["process_type"], row["version"]) for row in found]

    async def blocked(self) -> list[tuple[str, int]]:
        """Reason and attempt of every group that waits, as the scheduler reports it."""
        [row] = await self.rows("SELECT report FROM component_reports WHERE component = 'scheduler'")
        return [(group["reason"], group["attempt"]) for group in row["report"]["groups"]]


@pytest.fixture
async def cluster(database: Database) -> AsyncIterator[Cluster]:
    """A cluster of two agents on an empty log."""
    cluster = Cluster(database)
    await cluster.nodes(A, B)
    yield cluster
    for scheduler in cluster.schedulers:
        scheduler.obs.close()


# --- converging -----------------------------------------------------------------------------------


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


async def test_an_overtaken_deploy_is_settled(cluster: Cluster) -> None:
    """A deploy that another replaced before it was through does not roll for ever."""
    scheduler = cluster.scheduler()
    first = await cluster.deploy(1)
    await scheduler.work()
    await cluster.project()
    await cluster.deploy(2)
    await cluster.settle(scheduler, turns=20)
    assert (await cluster.statuses(first))[-1] == ("failed", "superseded")


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
    await cluster.tell(release, "release.created", manifest={"process": {"bad": {"command": 7}}}, manifest_hash="x")
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
