"""What the control plane hands to nodes: the plan of an agent and the config of an edge.

Both are whole pictures, never differences, so a node that missed one loses nothing. Their id is a hash
of what they say: a node that sees the id it has already applied has nothing to do. What nodes send
back is in ``obslib.wire``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["EdgeBackend", "EdgeConfig", "EdgeRoute", "HealthSpec", "NodePlan", "PlannedInstance", "WorkloadSpec"]


class _Wire(BaseModel):
    """Unknown fields are ignored, so that a newer control plane may say more than a node understands."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class HealthSpec(_Wire):
    """How a workload shows that it is well: an HTTP path that answers 2xx, or a port that accepts."""

    type: Literal["http", "tcp"] = "tcp"
    path: str = "/healthz"


class WorkloadSpec(_Wire):
    """What to run. ``python`` as the first word of ``command`` means the node's own interpreter."""

    command: tuple[str, ...]
    env: dict[str, str] = {}
    health: HealthSpec = HealthSpec()
    memory_bytes: int = 134_217_728


class PlannedInstance(_Wire):
    """One instance a node is to run, drain or stop; ``traceparent`` is of the deploy that asked for it."""

    instance_id: str
    org_id: str
    app_id: str
    env_id: str
    process_type: str
    release_id: str
    deploy_id: str
    desired_state: Literal["running", "draining", "stopped"]
    desired_reason: str = ""
    spec: WorkloadSpec
    traceparent: str = ""


class NodePlan(_Wire):
    """Everything an agent is to do. ``head_event_id`` is the newest event that concerns it."""

    plan_id: str
    cursor_event_id: int
    head_event_id: int
    instances: tuple[PlannedInstance, ...] = ()

    @staticmethod
    def of(instances: Sequence[PlannedInstance], *, cursor_event_id: int, head_event_id: int) -> NodePlan:
        """The plan that says ``instances``, under the id of its content."""
        return NodePlan(
            plan_id=_content_id("plan", instances),
            cursor_event_id=cursor_event_id,
            head_event_id=head_event_id,
            instances=tuple(instances),
        )


class EdgeBackend(_Wire):
    """One instance behind a route; only ``ready`` ones take new connections."""

    instance_id: str
    address: str
    port: int
    state: Literal["ready", "draining", "not_ready"]
    traceparent: str = ""


class EdgeRoute(_Wire):
    """A hostname and listener port, and the instances it leads to."""

    route_id: str
    org_id: str
    env_id: str
    hostname: str
    listener_port: int
    protocol: Literal["tcp_raw", "tls_passthrough"]
    proxy_protocol: Literal["off", "v2"] = "off"
    process_type: str
    backends: tuple[EdgeBackend, ...] = ()
    traceparent: str = ""


class EdgeConfig(_Wire):
    """Everything an edge is to serve. ``head_event_id`` is the newest event that concerns it."""

    config_id: str
    cursor_event_id: int
    head_event_id: int
    routes: tuple[EdgeRoute, ...] = ()

    @staticmethod
    def of(routes: Sequence[EdgeRoute], *, cursor_event_id: int, head_event_id: int) -> EdgeConfig:
        """The config that says ``routes``, under the id of its content."""
        return EdgeConfig(
            config_id=_content_id("config", routes),
            cursor_event_id=cursor_event_id,
            head_event_id=head_event_id,
            routes=tuple(routes),
        )


def _content_id(kind: str, items: Sequence[_Wire]) -> str:
    content = "\n".join(item.model_dump_json() for item in items)
    return f"{kind}-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
