"""Carries out the plan of one group, step by step, each committed by itself."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Literal

import psycopg

from miniplatform.scheduler.backoff import Backoff, Waiting
from miniplatform.scheduler.desired import InvalidManifest
from miniplatform.scheduler.journal import DecidedElsewhere, Journal
from miniplatform.scheduler.placement import Refused, Rooms
from miniplatform.scheduler.rollout import Allocate, Drain, Plan, Stop
from miniplatform.scheduler.shortage import Shortage
from miniplatform.scheduler.world import Group
from miniplatform.store.events import NewEvent
from obslib import Observability
from obslib.loops import Run
from obslib_scheduler import Scheduler as Telemetry

__all__ = ["Reconciler"]

Step = Stop | Drain | Allocate


class Reconciler:
    """Brings one group at a time closer to its plan."""

    def __init__(self, obs: Observability, telemetry: Telemetry, backoff: Backoff, shortage: Shortage) -> None:
        self._obs = obs
        self._telemetry = telemetry
        self._backoff = backoff
        self._shortage = shortage
        self._now = obs.clock.monotonic

    async def reconcile(self, group: Group, plan: Plan, rooms: Rooms, shape: Hashable, journal: Journal) -> None:
        """Take the steps of ``plan`` that need not wait; ``shape`` is how the rooms were when the pass began.

        What fails puts the group aside; DecidedElsewhere and a lost database are raised, for they end the pass.
        """
        about = (shape, group.spec_hash, group.replicas)
        if not plan.steps and not group.problem:
            self._backoff.clear(group.key)
            return
        waiting = self._backoff.waiting(group.key, about, now=self._now())
        steps = plan.steps if waiting is None else _meanwhile(plan, waiting)
        if waiting is not None and not steps:
            return
        conflict: DecidedElsewhere | None = None
        with self._obs.with_tenant(group.org_id), self._obs.bind(app_id=group.app_id, **_named(group)):
            with self._telemetry.groups.reconciling(**_named(group), traceparent=group.traceparent) as run:
                try:
                    if await self._take(group, steps, rooms, about, journal) and steps == plan.steps:
                        self._backoff.clear(group.key)
                except DecidedElsewhere as elsewhere:
                    conflict = elsewhere
                except psycopg.Error as error:
                    run.fail("db_error", error)
            if not run.ok:
                self._failed(group, run, about)
        if conflict is not None:
            raise conflict
        if isinstance(run.error, psycopg.OperationalError):
            raise run.error

    async def _take(self, group: Group, steps: tuple[Step, ...], rooms: Rooms, about: Hashable, journal: Journal) -> bool:
        """Take ``steps`` in order; false when one instance found no node, then the rest need not be tried."""
        if group.problem:
            raise InvalidManifest(group.problem)
        for step in steps:
            if not isinstance(step, Allocate):
                await self._change(group, step, journal)
            elif not await self._allocate(group, rooms, about, journal):
                return False
        return True

    async def _allocate(self, group: Group, rooms: Rooms, about: Hashable, journal: Journal) -> bool:
        assert group.spec is not None  # a group without a spec wants no instances
        node_id = rooms.place(group.spec.memory_bytes)
        if isinstance(node_id, Refused):
            self._telemetry.decisions.unschedulable(node_id.reason, **_named(group), **_cause(group))
            self._backoff.put_aside(
                group.key, node_id.reason, node_id.detail, about, now=self._obs.clock.monotonic(), lacks_room=True
            )
            self._telemetry.groups.put_aside(node_id.reason)
            return False
        instance_id = self._obs.mint("inst")
        payload = {
            "node_id": node_id, "assignment_id": self._obs.mint("asgn"), "process_type": group.key.process_type,
            "release_id": group.release_id, "deploy_id": group.deploy_id, "group_spec_hash": group.spec_hash,
            "spec": group.spec.model_dump(mode="json"),
        }  # fmt: skip
        with self._telemetry.decisions.deciding("allocated", process_type=group.key.process_type, node_id=node_id):
            await journal.append(
                [_event(group, instance_id, "instance.allocated", payload)], lock=str(group.key), traceparent=group.traceparent
            )
            rooms.take(node_id, group.spec.memory_bytes)
            self._telemetry.decisions.decided(
                "allocated", instance_id=instance_id, node_id=node_id, **_named(group), **_cause(group)
            )
            self._telemetry.deploys.placed(seconds=self._shortage.seconds(group.key))
        return True

    async def _change(self, group: Group, step: Stop | Drain, journal: Journal) -> None:
        instance, reason = step.instance, step.reason
        decision: Literal["drained", "stopped"] = "drained" if isinstance(step, Drain) else "stopped"
        payload = {"desired_state": "draining" if isinstance(step, Drain) else "stopped", "reason": reason}
        event = _event(group, instance.instance_id, "instance.desired_state_changed", payload)
        with self._telemetry.decisions.deciding(decision, process_type=group.key.process_type, node_id=instance.node_id):
            await journal.append([event], lock=str(group.key), traceparent=group.traceparent)
            self._telemetry.decisions.decided(
                decision,
                instance_id=instance.instance_id,
                node_id=instance.node_id,
                reason=reason,
                **_named(group),
                **_cause(group),
            )

    def _failed(self, group: Group, run: Run, about: Hashable) -> None:
        assert run.error is not None  # a run that is not ok has one
        waiting = self._backoff.put_aside(
            group.key, run.reason, str(run.error), about, now=self._obs.clock.monotonic(), lacks_room=False
        )
        self._telemetry.groups.failed(
            run.error, **_named(group), reason=run.reason, attempt=waiting.attempt, backoff_seconds=waiting.pause_s
        )


def _meanwhile(plan: Plan, waiting: Waiting) -> tuple[Step, ...]:
    """What a waiting group may do: without room everything but grow, after a failure nothing."""
    return (*plan.stops, *plan.drains) if waiting.lacks_room else ()


def _named(group: Group) -> dict[str, str]:
    return {"env_id": group.key.env_id, "process_type": group.key.process_type}


def _cause(group: Group) -> dict[str, str]:
    return {"deploy_id": group.deploy_id, "group_spec_hash": group.spec_hash}


def _event(group: Group, instance_id: str, event_type: str, payload: Mapping[str, object]) -> NewEvent:
    return NewEvent(
        aggregate_type="instance", aggregate_id=instance_id, event_type=event_type, payload=payload, org_id=group.org_id,
        app_id=group.app_id, env_id=group.key.env_id, correlation_id=group.deploy_id or None,
    )  # fmt: skip
