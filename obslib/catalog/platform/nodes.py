"""Signals of the nodes as the scheduler sees them: how many are in which state, and the emptying of those that are to leave."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import AcrossWorkers, gauge, histogram

_PLANE = Plane.CONTROL_PLANE
_ON_SCHEDULER = ("scheduler",)
_DRAINS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0)

NodeState = Literal["active", "draining", "disabled", "degraded", "offline"]


@gauge("scheduler_nodes", serves=("EXT-05",), plane=_PLANE, components=_ON_SCHEDULER, across_workers=AcrossWorkers.LATEST)
def SCHEDULER_NODES(*, state: Annotated[NodeState, c.STATE]) -> None:
    """Nodes that run instances, by state, as of the scheduler's last pass."""


@histogram("scheduler_drain_duration_seconds", serves=("EXT-05",), plane=_PLANE, components=_ON_SCHEDULER, buckets=_DRAINS)
def SCHEDULER_DRAIN_DURATION() -> None:
    """From the wish that a node be emptied until nothing ran there any more."""


@gauge(
    "scheduler_drains_blocked", serves=("EXT-05",), plane=_PLANE, components=_ON_SCHEDULER, across_workers=AcrossWorkers.LATEST
)
def SCHEDULER_DRAINS_BLOCKED() -> None:
    """Nodes that cannot be emptied, because an instance of theirs has no other place to go."""
