"""A cluster without its processes: the log, a projector that works when asked, nodes that report, agents that obey."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from miniplatform.config import Timings
from miniplatform.scheduler.backoff import Backoff
from miniplatform.scheduler.loop import SchedulerLoop
from miniplatform.scheduler.main import ERRORS
from miniplatform.store.checkpoints import advance
from miniplatform.store.events import SYSTEM, NewEvent, append
from miniplatform.store.pool import Database
from miniplatform.store.projections import PROJECTIONS
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_scheduler import instrument

__all__ = ["GIB", "TIMINGS", "TRACE", "TRACEPARENT", "ULID", "A", "B", "Cluster", "Scheduler", "event"]

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FA"
ORG, APP, ENV = f"org_{ULID}0", f"app_{ULID}0", f"env_{ULID}0"
A, B = f"node_{ULID}A", f"node_{ULID}B"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
GIB = 2**30
TIMINGS = Timings(drain_s=0.001, silent_after_s=5.0)


def event(aggregate_id: str, event_type: str, **payload: Any) -> NewEvent:
    """An event of the one env, or of a node."""
    kind = event_type.partition(".")[0]
    ids = {} if kind == "node" else {"org_id": ORG, "app_id": APP, "env_id": ENV}
    return NewEvent(aggregate_type=kind, aggregate_id=aggregate_id, event_type=event_type, payload=payload, **ids)


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

    async def tell(self, *events: NewEvent) -> None:
        """Append events and show them in the views."""
        await self.append(*events)
        await self.project()

    async def append(self, *events: NewEvent) -> None:
        """Append events in one transaction."""
        async with self.database.transaction("event_append") as connection:
            await append(connection, events, actor=SYSTEM, request_id="req", traceparent=TRACEPARENT)

    async def project(self, *only: str) -> None:
        """Bring every view up to date, or only some."""
        async with self.database.transaction("projection_apply") as connection:
            for projection in only or PROJECTIONS:
                advanced = await advance(connection, projection, applying=lambda *_: nullcontext())
                assert advanced.failure is None, advanced.failure

    async def nodes(self, *names: str, memory_bytes: int = GIB) -> None:
        """Enrol agents that have just reported."""
        facts = {"kind": "agent", "address": "127.0.0.1", "memory_bytes": memory_bytes}
        await self.tell(*(event(name, "node.enrolled", name=name, **facts) for name in names))
        for name in names:
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
        types = {"release_id": release, "deploy_id": deploy, "process_types": list(process_types)}
        await self.tell(
            event(release, "release.created", manifest=manifest, manifest_hash=f"hash-{version}"),
            event(deploy, "deploy.created", release_id=release, kind="deploy"),
            *(event(ENV, "env.scale_set", process_type=name, replicas=replicas) for name in process_types),
            event(ENV, "env.desired_release_set", **types),
        )
        return deploy

    async def obey(self, *, crash: bool = False) -> None:
        """Let the agents do what the views tell them."""
        await self.project()
        reports = []
        for row in await self.rows(
            "SELECT instance_id, node_id, desired_state, coalesce(status, '') AS status FROM instances_desired"
            " LEFT JOIN instances_status USING (instance_id, node_id) ORDER BY instance_id"
        ):
            wanted = ("failed" if crash else "ready") if row["desired_state"] == "running" else row["desired_state"]
            if row["status"] not in (wanted, "stopped", "failed"):
                facts = {"status": wanted, "node_id": row["node_id"], "is_final": crash}
                reports.append(event(row["instance_id"], "instance.status_changed", **facts))
        if reports:
            await self.tell(*reports)

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
