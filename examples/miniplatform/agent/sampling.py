"""What instances use, looked at once a second: the last minute of each boot, and the node's figures by group."""

from __future__ import annotations

import asyncio

from miniplatform.agent.caps import Caps
from miniplatform.agent.instance import Instance
from miniplatform.agent.node import Node
from obslib_agent import Agent, Figures, InstanceSample

__all__ = ["Sampler"]

_EVERY_S = 1.0


class Sampler:
    """Samples every instance of the node; reading is done in a thread, so that a sick ``/proc`` holds up nobody."""

    def __init__(self, agent: Agent, node: Node, caps: Caps) -> None:
        self._agent = agent
        self._node = node
        self._caps = caps

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            await self.sample()
            await asyncio.sleep(_EVERY_S)

    async def sample(self) -> None:
        """Look at everything once."""
        instances = list(self._node.instances.values())
        boots = [boot for instance in instances if (boot := _running(instance)) is not None]
        figures = await asyncio.to_thread(self._read, boots)
        self._agent.resources.sampled([
            InstanceSample(
                env_id=instance.want.env_id, process_type=instance.want.process_type,
                instance_id=instance.want.instance_id, boot_id=instance.row.boot_id,
                figures=figures.get(instance.row.boot_id),
            )
            for instance in instances
        ])  # fmt: skip

    def _read(self, boots: list[tuple[str, int, int]]) -> dict[str, Figures | None]:
        return {boot_id: self._caps.figures(boot_id, init_pid, cap) for boot_id, init_pid, cap in boots}


def _running(instance: Instance) -> tuple[str, int, int] | None:
    if instance.process is None or instance.process.has_ended:
        return None
    return instance.row.boot_id, instance.process.init.pid, instance.want.spec.memory_bytes
