"""Which nodes are gone: silent for too long, unless everybody is, which says more about the listener.

Reports reach the database through the control plane. When it is away, every node looks silent, one after
the other, and moving their instances would be the worst answer. So a node is gone only when it was silent
for long while somebody else was heard, and after an outage everybody gets as long again to come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from miniplatform.scheduler.world import Node
from obslib.catalog.platform.nodes import NodeState

__all__ = ["NodeChange", "Silence", "is_placeable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChange:
    """A node whose state must be changed, and why."""

    node_id: str
    state: NodeState
    reason: str


class Silence:
    """Remembers since when the nodes can be judged; ``silent_after_s`` is the silence that means gone."""

    def __init__(self, *, silent_after_s: float) -> None:
        self._after_s = silent_after_s
        self._judges_from: float | None = None

    def changes(self, nodes: Iterable[Node], *, now: float) -> list[NodeChange]:
        """The state changes to append now, by node id; a fresh start waits as long as a node may be silent."""
        nodes = sorted(nodes, key=lambda n: n.node_id)
        heard = [n for n in nodes if n.silent_s is not None]
        nobody_is_heard = len(heard) > 1 and all(n.silent_s > self._after_s / 2 for n in heard if n.silent_s is not None)
        if self._judges_from is None or nobody_is_heard:
            self._judges_from = now + self._after_s
        changes = []
        for node in heard:
            if node.state == "offline" and not self._is_silent(node):
                changes.append(NodeChange(node_id=node.node_id, state="active", reason="heartbeat_resumed"))
            elif node.state in ("active", "degraded") and self._is_silent(node) and now >= self._judges_from:
                changes.append(NodeChange(node_id=node.node_id, state="offline", reason="heartbeat_missing"))
        return changes

    def _is_silent(self, node: Node) -> bool:
        return node.silent_s is not None and node.silent_s > self._after_s


def is_placeable(node: Node, *, silent_after_s: float) -> bool:
    """Whether new instances may go there: an active agent that reports."""
    return node.kind == "agent" and node.state == "active" and node.silent_s is not None and node.silent_s <= silent_after_s
