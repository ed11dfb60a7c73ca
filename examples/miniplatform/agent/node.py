"""All instances of this node, and the plan they follow. Survives the agent: what it holds is what the state says."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Iterator

from miniplatform.agent.instance import Instance
from miniplatform.agent.state import Boot, InstanceRow, State
from miniplatform.agent.workload import Launcher, Process
from miniplatform.config import Timings
from miniplatform.wire import NodePlan, PlannedInstance
from obslib_agent import InstanceState

__all__ = ["Node"]

_BOOTS_KEPT = 3
_NOTHING = NodePlan.of((), cursor_event_id=0, head_event_id=0)


class Node:
    """The instances by id, and the last plan. ``states`` and ``desired`` may be asked from any thread."""

    def __init__(self, state: State, launcher: Launcher, timings: Timings, *, on_report: Callable[[], None]) -> None:
        self.plan = state.plan() or _NOTHING
        self.instances: dict[str, Instance] = {}
        self._state = state
        self._launcher = launcher
        self._timings = timings
        self._on_report = on_report

    def recall(self) -> Iterator[Instance]:
        """Bring back what an earlier agent left, and yield the instances whose workload still runs or ended unseen.

        Needs a running event loop.
        """
        known: set[str] = set()
        for row in self._state.instances():
            boots = self._state.boots(row.want.instance_id)
            known.update(boot.boot_id for boot in boots)
            boot = next((boot for boot in boots if boot.boot_id == row.boot_id), None)
            instance = self._instance(row, boot)
            if boot is not None and boot.process is not None and not boot.has_ended:
                directory = self._launcher.directory(boot.boot_id)
                instance.process = Process.adopt(boot.process, directory, instance.stirred.set)
                yield instance
        self._launcher.clear(keep=known)

    def take_over(self, plan: NodePlan) -> None:
        """Follow ``plan`` from now on; an instance that is not in it any more is to be stopped."""
        wanted = {want.instance_id: want for want in plan.instances}
        with self._state.transaction():
            self._state.keep_plan(plan)
            for instance_id, instance in self.instances.items():
                if instance_id not in wanted:
                    instance.wish(instance.want.model_copy(update={"desired_state": "stopped", "desired_reason": ""}))
            for want in plan.instances:
                known = self.instances.get(want.instance_id)
                if known is not None:
                    known.wish(want)
                else:
                    row = InstanceRow(want=want, status="preparing")
                    self._state.keep_instance(row)
                    self._instance(row, None)
        self.plan = plan

    def changes(self, plan: NodePlan) -> list[PlannedInstance]:
        """What ``plan`` wants that is new or differs from what is wanted now."""
        return [
            want for want in plan.instances if (known := self.instances.get(want.instance_id)) is None or known.want != want
        ]

    def settle(self) -> None:
        """Bring instances with nothing running to their end: stopped when so wanted, forgotten when out of the plan."""
        planned = {want.instance_id for want in self.plan.instances}
        for instance_id, instance in list(self.instances.items()):
            if instance.wants_running or not instance.is_idle:
                continue
            if instance.status != "stopped":
                instance.stop(None)
            if instance_id not in planned:
                del self.instances[instance_id]
                boots = self._state.boots(instance_id)
                self._state.forget_instance(instance_id)
                self._delete(boots)

    def prune(self, instance_id: str) -> None:
        """Keep the files of an instance's last boots only."""
        boots = self._state.boots(instance_id)[:-_BOOTS_KEPT]
        for boot in boots:
            self._state.forget_boot(boot.boot_id)
        self._delete(boots)

    async def let_go(self) -> None:
        """Stop looking after the instances; their workloads run on."""
        tasks = [instance.task for instance in self.instances.values() if instance.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for instance in self.instances.values():
            if instance.process is not None:
                instance.process.release()

    def states(self) -> dict[InstanceState, int]:
        """Instances by state."""
        return dict(Counter(instance.status for instance in list(self.instances.values())))

    def desired(self) -> int:
        """Instances the plan wants running."""
        return sum(want.desired_state == "running" for want in self.plan.instances)

    def open_boots(self) -> set[str]:
        """The boots whose end has not been written down."""
        instances = self.instances.values()
        return {instance.boot.boot_id for instance in instances if instance.boot is not None and instance.has_open_boot}

    def _instance(self, row: InstanceRow, boot: Boot | None) -> Instance:
        made = Instance(row, boot, state=self._state, timings=self._timings, on_report=self._on_report)
        self.instances[row.want.instance_id] = made
        return made

    def _delete(self, boots: list[Boot]) -> None:
        for boot in boots:
            shutil.rmtree(self._launcher.directory(boot.boot_id), ignore_errors=True)
