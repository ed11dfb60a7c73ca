"""View records of what was placed where: instances and the nodes that carry or reach them."""

from __future__ import annotations

from obslib.wire.edge import EdgeReport
from obslib.wire.moment import Moment
from obslib.wire.node import NodeReport
from obslib.wire.record import Record, Text
from obslib.wire.termination import TerminationReport

__all__ = ["EndRecord", "InstanceRecord", "NodeRecord"]


class EndRecord(Record):
    """How one boot ended, with the figures its agent reported: they are not in the event log (platform facts §22.31)."""

    boot_id: str
    report: TerminationReport


class InstanceRecord(Record):
    """Desired and reported state of one instance. ``status`` is empty until the agent reported anything.

    ``last_end`` is of the newest boot that ended, ``None`` when none did or nobody kept it.
    """

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
    last_end: EndRecord | None = None


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
