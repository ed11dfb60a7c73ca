"""The agent's loop: take over the newest plan, start what is missing, settle what is done."""

from __future__ import annotations

import asyncio
import contextvars
from functools import partial

from miniplatform.agent.client import CallFailed, Client
from miniplatform.agent.console import Consoles
from miniplatform.agent.instance import Instance
from miniplatform.agent.node import Node
from miniplatform.agent.supervisor import Supervisor
from miniplatform.wire import NodePlan
from obslib import Observability
from obslib.catalog.platform import data_plane as s
from obslib.loops import Iteration, Run
from obslib_agent import Agent

__all__ = ["Reconciler"]


class Reconciler:
    """Brings the node to its plan. Boots run beside the loop; each pass takes note of those that failed."""

    def __init__(
        self,
        obs: Observability,
        agent: Agent,
        client: Client,
        node: Node,
        supervisor: Supervisor,
        consoles: Consoles,
        *,
        period_s: float,
    ) -> None:
        self.error = ""
        self._trouble = ""
        self._obs = obs
        self._agent = agent
        self._client = client
        self._node = node
        self._supervisor = supervisor
        self._consoles = consoles
        self._loop = obs.loop(s.AGENT_RECONCILE, period=period_s)
        self._failed_boots: list[tuple[Instance, Run]] = []

    def adopt(self) -> None:
        """Look after what an earlier agent left running, and find out how the rest ended."""
        self._loop.cursor.restore(self._node.plan.cursor_event_id)
        for instance in self._node.recall():
            if instance.boot is not None:
                self._consoles.open(instance.want.instance_id, instance.boot.boot_id, is_new=False)
                if instance.process is not None:
                    with self._obs.bind(**instance.log_fields()):
                        self._agent.instances.adopted(instance.boot.boot_id)
            self._supervise(instance)
        self._consoles.resume()

    async def run(self) -> None:
        """Reconcile until cancelled; workloads run on after that."""
        async for it in self._loop:
            with it:
                self._trouble = ""
                try:
                    await self._pass(it)
                except Exception as error:
                    self._trouble = str(error) or type(error).__name__
                    raise
                finally:
                    self.error = self._trouble

    async def _pass(self, it: Iteration) -> None:
        self._converge(it)  # what the node needs does not wait for an answer from far away
        plan = await self._newest_plan(it)
        if plan.plan_id != self._node.plan.plan_id:
            causes = [want.traceparent for want in self._node.changes(plan) if want.traceparent]
            with self._agent.plans.applying(
                plan_id=plan.plan_id, event_id=plan.cursor_event_id, count=len(plan.instances), causes=causes
            ):
                self._node.take_over(plan)
        elif plan.cursor_event_id != self._node.plan.cursor_event_id:
            self._node.take_over(plan)
        self._converge(it)
        it.cursor.head(plan.head_event_id)
        it.cursor.advance(plan.cursor_event_id)

    async def _newest_plan(self, it: Iteration) -> NodePlan:
        try:
            return await self._client.plan()
        except CallFailed as error:
            self._failed(it, error)
            return self._node.plan

    def _converge(self, it: Iteration) -> None:
        self._collect(it)
        now = self._obs.clock.now()
        missing = [instance for instance in self._node.instances.values() if instance.is_due(now)]
        it.set(count=len(missing))
        it.pending(len(missing))
        for instance in missing:
            self._node.prune(instance.want.instance_id)
            self._supervise(instance)
            it.progress()
        self._node.settle()

    def _collect(self, it: Iteration) -> None:
        """Take note of boots that failed, and of a supervision that did."""
        failed, self._failed_boots = self._failed_boots, []
        for instance, run in failed:
            with self._obs.bind(**instance.log_fields()):
                it.retry_later(run.error, reason=run.reason)
        for instance in self._node.instances.values():
            if instance.task is not None and instance.task.done():
                error, instance.task = instance.task.exception(), None
                if isinstance(error, Exception):
                    with self._obs.bind(**instance.log_fields()):
                        self._failed(it, error)

    def _supervise(self, instance: Instance) -> None:
        # A context of its own: an instance outlives the pass that started it, and so would the pass's ids in its lines.
        instance.task = asyncio.get_running_loop().create_task(
            self._supervisor.run(instance, partial(self._note, instance)), context=contextvars.Context()
        )
        instance.task.add_done_callback(lambda _: self._wake_when_due(instance))

    def _wake_when_due(self, instance: Instance) -> None:
        """A pass right away to take note, and one when the backoff is over: it may be shorter than the loop's period."""
        self._loop.wake()
        backoff_s = instance.backoff_s(self._obs.clock.now())
        if backoff_s:
            asyncio.get_running_loop().call_later(backoff_s, self._loop.wake)

    def _note(self, instance: Instance, run: Run) -> None:
        if not run.ok:
            self._failed_boots.append((instance, run))

    def _failed(self, it: Iteration, error: Exception) -> None:
        self._trouble = str(error) or type(error).__name__
        it.retry_later(error)
