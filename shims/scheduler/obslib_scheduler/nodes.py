"""Nodes: how many are in which state, how long each took to be emptied, and how many cannot be (EXT-05)."""

from __future__ import annotations

from collections.abc import Mapping

from obslib import Observability
from obslib.catalog.platform import nodes
from obslib.catalog.platform.nodes import NodeState

__all__ = ["NodeState", "Nodes"]


class Nodes:
    """The signals of nodes, bound once; nothing is shown before the first pass has looked."""

    def __init__(self, obs: Observability) -> None:
        self._nodes = obs.metrics[nodes.SCHEDULER_NODES]
        self._drains = obs.metrics[nodes.SCHEDULER_DRAIN_DURATION].labels()
        self._blocked = obs.metrics[nodes.SCHEDULER_DRAINS_BLOCKED]

    def counted(self, states: Mapping[NodeState, int], *, blocked: int) -> None:
        """A pass saw so many nodes in each state, and ``blocked`` that cannot be emptied; a state not named has none."""
        absent: dict[NodeState, int] = {"active": 0, "draining": 0, "disabled": 0, "degraded": 0, "offline": 0}
        self._nodes.replace({**absent, **states})
        self._blocked.labels().set(blocked)

    def emptied(self, *, seconds: float) -> None:
        """Nothing runs any more on a node that was to be emptied ``seconds`` ago."""
        self._drains.observe(seconds)
