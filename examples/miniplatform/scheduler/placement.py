"""Where an instance goes: memory is a hard limit, then the least loaded node, then the smaller node id.

Pure and deterministic: the same nodes give the same answer, so a decision can be taken again after a crash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from miniplatform.scheduler.world import Instance, Node
from obslib.catalog.platform.terms import SchedulerReasonName

__all__ = ["OVERHEAD_BYTES", "Refused", "Rooms"]

OVERHEAD_BYTES = 64 * 2**20
"""Memory of the machine around the workload, counted on top of its cap (platform facts §7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No node can take the instance; ``reason`` is one of the scheduler's closed set."""

    reason: SchedulerReasonName
    detail: str


class Rooms:
    """The memory of the nodes that may take instances, and how much of it is spoken for.

    One object serves a whole pass, so that what one group takes is gone for the next.
    """

    def __init__(self, nodes: Iterable[Node], instances: Iterable[Instance]) -> None:
        self._sizes = {node.node_id: node.memory_bytes for node in nodes}
        self._used = dict.fromkeys(self._sizes, 0)
        for instance in instances:
            if instance.holds_memory and instance.node_id in self._used:
                self._used[instance.node_id] += instance.memory_bytes + OVERHEAD_BYTES

    @property
    def shape(self) -> tuple[tuple[str, int, int], ...]:
        """Id, size and use of every node; while it stays the same, so does the answer of ``place``."""
        return tuple((node_id, self._sizes[node_id], self._used[node_id]) for node_id in sorted(self._sizes))

    def place(self, memory_bytes: int) -> str | Refused:
        """The node for an instance with this cap; nothing is taken until ``take``."""
        if not self._sizes:
            return Refused(reason="no_nodes_active", detail="no agent node is active and reporting")
        need = memory_bytes + OVERHEAD_BYTES
        fitting = [node_id for node_id, size in self._sizes.items() if self._used[node_id] + need <= size]
        if not fitting:
            most = max(size - self._used[node_id] for node_id, size in self._sizes.items())
            return Refused(
                reason="no_capacity_memory",
                detail=f"needs {need} bytes with overhead; the roomiest of {len(self._sizes)} active nodes has {max(most, 0)}",
            )
        return min(fitting, key=lambda node_id: (self._used[node_id] / self._sizes[node_id], node_id))

    def take(self, node_id: str, memory_bytes: int) -> None:
        """Count an instance that was allocated to ``node_id`` since the pass began."""
        self._used[node_id] += memory_bytes + OVERHEAD_BYTES
