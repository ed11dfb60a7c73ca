"""View records of what was placed where: instances and the nodes that carry or reach them."""

from __future__ import annotations

from obslib.wire.edge import EdgeReport
from obslib.wire.moment import Moment
from obslib.wire.node import NodeReport
from obslib.wire.record import Record, Text

__all__ = ["InstanceRecord", "NodeRecord"]


class InstanceRecord(Record):
    """Desired and reported state of one instance. ``status`` is empty until the agent reported anything."""

    instance_id: str
    env_id: str
    process_type: str
    release_id: str = ""
    deploy_id: str = ""
    node_id: str = ""
    assignment_id: str = ""
    desired_state: str = "running"
    desired_reason: str = ""
    desired_event_id: int = 0
    created_at: Moment | None = None
    desired_changed_at: Moment | None = None
    status: str = ""
    boot_id: str = ""
    address: str = ""
    port: int | None = None
    restarts: int = 0
    is_final: bool = False
    reason_code: str = ""
    reason_detail: Text = ""
    termination_class: str = ""
    exit_code: int | None = None
    status_event_id: int = 0
    status_changed_at: Moment | None = None


class NodeRecord(Record):
    """A node and its last heartbeat. ``seen_at`` is ``None`` before the first; an agent has ``report``, an edge ``edge``."""

    node_id: str
    name: str
    kind: str
    state: str = "active"
    address: str = ""
    memory_bytes: int = 0
    seen_at: Moment | None = None
    report: NodeReport | None = None
    edge: EdgeReport | None = None
