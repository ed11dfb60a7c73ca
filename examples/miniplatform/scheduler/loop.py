"""One pass after the other: read the views, judge the nodes, bring each group one step closer, settle the deploys.

Nothing is remembered between passes but how long to wait with groups that could not be helped; so a pass
may end anywhere, by a kill or a lost database, and the next one goes on from what the log says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

import psycopg

from miniplatform.config import Timings
from miniplatform.scheduler import drains
from miniplatform.scheduler.backoff import Backoff
from miniplatform.scheduler.deploys import overtaken, settle
from miniplatform.scheduler.journal import DecidedElsewhere, Journal
from miniplatform.scheduler.placement import Rooms
from miniplatform.scheduler.reading import Reader
from miniplatform.scheduler.reconcile import Reconciler
from miniplatform.scheduler.reporting import write_report
from miniplatform.scheduler.rollout import Plan, plan_group
from miniplatform.scheduler.shortage import Shortage
from miniplatform.scheduler.silence import NodeChange, Silence, is_placeable
from miniplatform.scheduler.world import Deploy, Group, GroupKey, Node, World
from miniplatform.store.events import NewEvent
from miniplatform.store.pool import Database
from obslib import Observability
from obslib.loops import Iteration
from obslib_scheduler import Scheduler as Telemetry

__all__ = ["SchedulerLoop"]

_INVALID = Plan(failure="invalid_manifest")


class SchedulerLoop:
    """The scheduler of one process. ``backoff`` holds the groups that wait."""

    def __init__(
        self, obs: Observability, telemetry: Telemetry, database: Database, backoff: Backoff, timings: Timings
    ) -> None:
        self._obs = obs
        self._telemetry = telemetry
        self._database = database
        self._backoff = backoff
        self._timings = timings
        self._reader = Reader(database)
        self._silence = Silence(silent_after_s=timings.silent_after_s)
        self._shortage = Shortage()
        self._reconciler = Reconciler(obs, telemetry, backoff, self._shortage)

    async def run(self) -> None:
        """Make passes until cancelled."""
        async for it in self._telemetry.groups.passes:
            with it:
                await self.make_pass(it)

    async def make_pass(self, it: Iteration) -> None:
        """One pass; raises what made it fail, psycopg.Error for one."""
        world = await self._reader.world()
        it.set(count=len(world.groups))
        it.cursor.head(world.head_event_id)
        try:
            if world.is_current:
                await self._decide(it, world)
        except DecidedElsewhere as conflict:
            self._obs.log.info("this pass ends early", detail=str(conflict))
        except psycopg.OperationalError:
            raise  # there is nowhere to report it
        except Exception as error:
            await self._report(world, loop_error=str(error))
            raise
        await self._report(world)
        it.cursor.advance(world.cursor_event_id)

    async def _decide(self, it: Iteration, world: World) -> None:
        journal = Journal(self._database, self._telemetry, decided_event_id=world.decided_event_id, request_id=it.request_id)
        nodes = await self._judge_nodes(world, journal)
        plans = {group.key: self._plan(group, world, nodes) for group in world.groups}
        rooms = Rooms(
            (n for n in nodes if is_placeable(n, silent_after_s=self._timings.silent_after_s)),
            chain.from_iterable(world.instances.values()),
        )
        shape = rooms.shape
        wanting = {group.key: group.wished_at for group in world.groups if plans[group.key].allocations}
        self._shortage.look(wanting, now=world.now)
        it.pending(len(world.groups))
        for group in world.groups:
            await self._reconciler.reconcile(group, plans[group.key], rooms, shape, journal)
            it.progress()
        self._backoff.keep_only(plans.keys())
        self._tell_nodes(world, nodes)
        await self._settle_deploys(world, plans, journal)

    async def _judge_nodes(self, world: World, journal: Journal) -> list[Node]:
        """Append which nodes went, came back or have been emptied; returns the nodes as they are then."""
        nodes = {node.node_id: node for node in world.nodes}
        empty = {node.node_id: node for node in drains.emptied(world.nodes, chain.from_iterable(world.instances.values()))}
        drained = [NodeChange(node_id=node_id, state="disabled", reason="drained") for node_id in empty]
        for change in (*self._silence.changes(world.nodes, now=self._obs.clock.monotonic()), *drained):
            event = NewEvent(
                aggregate_type="node", aggregate_id=change.node_id, event_type="node.state_changed",
                payload={"state": change.state, "reason": change.reason},
            )  # fmt: skip
            await journal.append([event], lock=f"node:{change.node_id}", traceparent=self._obs.traces.traceparent())
            nodes[change.node_id] = replace(nodes[change.node_id], state=change.state)
            self._obs.log.warning("node changed its state", node_id=change.node_id, status=change.state, reason=change.reason)
            if change in drained:
                self._telemetry.nodes.emptied(seconds=empty[change.node_id].drained_for_s or 0.0)
        return list(nodes.values())

    def _tell_nodes(self, world: World, nodes: list[Node]) -> None:
        agents = [node for node in nodes if node.kind == "agent"]
        stuck = drains.blocked(agents, chain.from_iterable(world.instances.values()), [key for key, _ in self._backoff.items()])
        self._telemetry.nodes.counted(Counter(node.state for node in agents), blocked=stuck)

    def _plan(self, group: Group, world: World, nodes: list[Node]) -> Plan:
        if group.problem:
            return _INVALID
        return plan_group(
            group,
            world.instances.get(group.key, ()),
            deploy=next((d for d in world.deploys if d.deploy_id == group.deploy_id), None),
            offline={n.node_id for n in nodes if n.state == "offline"},
            leaving={n.node_id for n in nodes if n.state in ("draining", "disabled")},
            now=world.now,
            drain_s=self._timings.drain_s,
        )

    async def _settle_deploys(self, world: World, plans: Mapping[GroupKey, Plan], journal: Journal) -> None:
        for deploy in world.deploys:
            own = [plans[group.key] for group in world.groups if group.deploy_id == deploy.deploy_id]
            is_overtaken = not own and overtaken(deploy, world.deploys)
            change = settle(deploy, own, is_overtaken=is_overtaken, now=world.now)
            if change is not None:
                await self._change(deploy, change.status, change.reason, journal)
                if change.status != "rolling" and not is_overtaken:
                    self._telemetry.deploys.settled(
                        has_succeeded=change.status == "succeeded", seconds=world.now - deploy.created_at
                    )

    async def _change(self, deploy: Deploy, status: str, reason: str, journal: Journal) -> None:
        event = NewEvent(
            aggregate_type="deploy", aggregate_id=deploy.deploy_id, event_type="deploy.status_changed",
            payload={"status": status, "reason": reason}, org_id=deploy.org_id, app_id=deploy.app_id, env_id=deploy.env_id,
            correlation_id=deploy.deploy_id,
        )  # fmt: skip
        with self._obs.with_tenant(deploy.org_id), self._obs.bind(env_id=deploy.env_id, deploy_id=deploy.deploy_id):
            await journal.append([event], lock=f"deploy:{deploy.deploy_id}", traceparent=deploy.traceparent)
            self._obs.log.info("deploy changed its status", status=status, reason=reason)

    async def _report(self, world: World, *, loop_error: str = "") -> None:
        await write_report(self._database, world, self._backoff, loop_error=loop_error, now=self._obs.clock.monotonic())
