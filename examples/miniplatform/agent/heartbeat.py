"""The agent's pulse, in a task of its own: a long reconcile pass must not make the node look dead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from miniplatform.agent.client import CallFailed, Client
from miniplatform.agent.node import Node
from miniplatform.agent.reconcile import Reconciler
from obslib.clock import Clock
from obslib.wire import NodeReport
from obslib_agent import Agent

__all__ = ["beat", "node_report"]


async def beat(agent: Agent, client: Client, report: Callable[[], NodeReport], *, every_s: float) -> None:
    """Send a heartbeat every ``every_s`` seconds, for ever."""
    while True:
        try:
            await client.heartbeat(report())
        except CallFailed as error:
            agent.heartbeat.failed(error)
        else:
            agent.heartbeat.accepted()
        await asyncio.sleep(every_s)


def node_report(node: Node, clock: Clock, reconciler: Reconciler) -> NodeReport:
    """The node as it is now."""
    now = clock.now()
    instances = node.instances.items()
    return NodeReport(
        cursor_event_id=node.plan.cursor_event_id,
        plan_id=node.plan.plan_id,
        instances={instance_id: instance.report() for instance_id, instance in instances},
        loop_error=reconciler.error,
        backoffs={
            instance_id: round(seconds, 3)
            for instance_id, instance in instances
            if instance.wants_running and not instance.row.is_final and (seconds := instance.backoff_s(now))
        },
    )
