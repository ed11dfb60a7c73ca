"""What the scheduler sees of the platform in one pass: plain data, so that every decision is a pure function.

Times are Unix seconds by the database's clock, the only one all processes share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from miniplatform.wire import WorkloadSpec
from obslib.catalog.platform.nodes import NodeState

__all__ = ["Deploy", "Group", "GroupKey", "Instance", "Node", "World"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class GroupKey:
    """An env and a process type: the scheduler's unit of work."""

    env_id: str
    process_type: str

    def __str__(self) -> str:
        return f"{self.env_id}/{self.process_type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What one group should be. ``replicas`` is 0 and ``spec`` is None for a group nobody wants any more.

    ``wished_at`` is when its release or its replicas were last set. ``problem`` says why its manifest cannot be read; such
    a group is left as it is.
    """

    key: GroupKey
    org_id: str
    app_id: str
    release_id: str
    deploy_id: str
    replicas: int
    spec: WorkloadSpec | None
    spec_hash: str
    traceparent: str
    wished_at: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance as it is wanted and as its agent reported it; ``status`` is empty before the first report."""

    instance_id: str
    key: GroupKey
    org_id: str
    app_id: str
    deploy_id: str
    node_id: str
    spec_hash: str
    memory_bytes: int
    desired_state: str
    desired_reason: str
    created_at: float
    changed_at: float
    status: str
    is_final: bool
    traceparent: str

    @property
    def is_wanted(self) -> bool:
        """Whether it is still meant to run."""
        return self.desired_state == "running"

    @property
    def is_ready(self) -> bool:
        """Whether it serves, and is meant to."""
        return self.is_wanted and self.status == "ready"

    @property
    def has_given_up(self) -> bool:
        """Whether its agent will not boot it again."""
        return self.status == "failed" and self.is_final

    @property
    def holds_memory(self) -> bool:
        """Whether its node must keep room for it: until it is known to be gone."""
        if self.has_given_up or self.status == "stopped":
            return False
        return self.desired_state != "stopped" or self.status in ("booting", "ready", "draining")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node and for how many seconds it has been silent; ``None`` when it never reported.

    ``drained_for_s`` is how long ago it was to be emptied; ``None`` when it is not.
    """

    node_id: str
    kind: str
    state: NodeState
    memory_bytes: int
    silent_s: float | None
    drained_for_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """A deploy that is not over yet, or the one a group points at; ``event_id`` is of the event that created it."""

    deploy_id: str
    org_id: str
    app_id: str
    env_id: str
    status: str
    reason: str
    created_at: float
    changed_at: float
    event_id: int
    traceparent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One consistent picture of the views.

    ``decided_event_id`` is the newest event a scheduler has ever appended; while ``is_current`` is false the
    views do not show it yet, and a decision would be made twice. ``cursor_event_id`` is how far the views
    are, ``head_event_id`` the newest event of all.
    """

    now: float
    groups: tuple[Group, ...]
    instances: Mapping[GroupKey, tuple[Instance, ...]]
    nodes: tuple[Node, ...]
    deploys: tuple[Deploy, ...]
    decided_event_id: int
    is_current: bool
    cursor_event_id: int
    head_event_id: int
