"""Nodes that are to be emptied: which of them are, and which cannot be. Pure, from what there is.

What runs on such a node leaves like an old version does, one at a time and only when another serves in its place
(``rollout``). Here is only the end of it: a node without instances is disabled, which ends its drain in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from miniplatform.scheduler.world import GroupKey, Instance, Node

__all__ = ["blocked", "emptied"]


def emptied(nodes: Iterable[Node], instances: Iterable[Instance]) -> list[Node]:
    """The draining nodes on which nothing is wanted and nothing holds memory any more."""
    occupied = {i.node_id for i in instances if i.is_wanted or i.holds_memory}
    return [node for node in nodes if node.state == "draining" and node.node_id not in occupied]


def blocked(nodes: Iterable[Node], instances: Iterable[Instance], waiting: Collection[GroupKey]) -> int:
    """How many draining nodes still have a wanted instance of a group that waits, for room as a rule."""
    stuck = {i.node_id for i in instances if i.is_wanted and i.key in waiting}
    return sum(node.state == "draining" and node.node_id in stuck for node in nodes)
