"""Signals of the node agent."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import AcrossWorkers, counter, gauge, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.platform.consumers import AGENT_CURSOR
from obslib.catalog.signals import Check, Importance, Level, Loop, Operation, log_event, span_kind

AGENT = "agent"
_PLANE = Plane.DATA_PLANE
_ON_AGENT = (AGENT,)
_BOOT = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# --- reconcile ------------------------------------------------------------------------------------


@histogram("agent_reconcile_duration_seconds", serves=("MET-AG-01",), plane=_PLANE, components=_ON_AGENT)
def AGENT_RECONCILE_DURATION() -> None:
    """Time of one reconcile pass."""


@counter("agent_reconcile_runs_total", serves=("MET-AG-02",), plane=_PLANE, components=_ON_AGENT)
def AGENT_RECONCILE_RUNS(*, result: c.Outcome) -> None:
    """Reconcile passes by result."""


@counter("agent_reconcile_errors_total", serves=("MET-AG-02", "DBG-2-03"), plane=_PLANE, components=_ON_AGENT)
def AGENT_RECONCILE_ERRORS(*, error_class: c.AnyErrorClass) -> None:
    """Failures inside reconcile passes, by class of error."""


@counter("agent_backoffs_total", serves=("DBG-2-03",), plane=_PLANE, components=_ON_AGENT)
def AGENT_BACKOFFS(*, reason: t.InstanceReason) -> None:
    """Instances put aside before their next boot, by reason."""


@span_kind("agent.reconcile", serves=("STN-04",), plane=_PLANE, components=_ON_AGENT)
def AGENT_RECONCILE_SPAN(*, count: t.Count = 0) -> None:
    """One reconcile pass of the agent."""


@span_kind("agent.config_apply", serves=("TRC-10",), plane=_PLANE, components=_ON_AGENT)
def AGENT_CONFIG_APPLY(*, applied_event_id: t.AppliedEventId, plan_id: t.PlanId = "") -> None:
    """A new node plan taken over; linked to the traces that caused it."""


@log_event("agent.config_applied", serves=("DBG-2-01", "TRC-04"), plane=_PLANE, components=_ON_AGENT)
def AGENT_CONFIG_APPLIED(*, plan_id: t.PlanId, applied_event_id: t.AppliedEventId, count: t.Count) -> None:
    """Node plan applied."""


@log_event("agent.reconcile_failed", serves=("DBG-2-05",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT)
def AGENT_RECONCILE_FAILED(
    *,
    cycle_id: c.CycleId,
    attempt: c.Attempt,
    backoff_seconds: c.BackoffSeconds,
    loop: c.LoopName = "",
    cursor_event_id: c.CursorEventId = 0,
    instance_id: t.InstanceId = "",
) -> None:
    """The agent could not bring the node to its plan."""


AGENT_RECONCILE = Loop(
    name="agent_reconcile", help="Brings the node to its plan.", plane=_PLANE, components=_ON_AGENT,
    serves=("STN-03", "STN-04", "STN-05"), span=AGENT_RECONCILE_SPAN,
    also=(AGENT_RECONCILE_DURATION, AGENT_RECONCILE_RUNS, AGENT_RECONCILE_ERRORS), cursor=AGENT_CURSOR,
    failed=AGENT_RECONCILE_FAILED,
)  # fmt: skip

# --- instances ------------------------------------------------------------------------------------


@gauge("agent_instances", serves=("MET-AG-03", "OBJ-03"), plane=_PLANE, components=_ON_AGENT)
def AGENT_INSTANCES(*, state: t.InstanceState) -> None:
    """Instances on this node by state."""


@gauge("agent_instances_desired", serves=("MET-AG-03",), plane=_PLANE, components=_ON_AGENT)
def AGENT_INSTANCES_DESIRED() -> None:
    """Instances the plan wants running on this node."""


@histogram("agent_instance_boot_duration_seconds", serves=("MET-AG-04",), plane=_PLANE, components=_ON_AGENT, buckets=_BOOT)
def AGENT_BOOT_DURATION(*, result: c.Outcome) -> None:
    """Time from the start of a boot to the first passed health check, or to its failure."""


@histogram("agent_boot_phase_duration_seconds", serves=("MET-AG-04",), plane=_PLANE, components=_ON_AGENT, buckets=_BOOT)
def AGENT_BOOT_PHASE(*, kind: t.BootPhase) -> None:
    """Time of one phase of a boot."""


@counter("agent_instance_boot_failures_total", serves=("MET-AG-05",), plane=_PLANE, components=_ON_AGENT)
def AGENT_BOOT_FAILURES(*, reason: t.InstanceReason) -> None:
    """Boots that failed, by reason code."""


@counter("agent_status_reports_total", serves=("DBG-3-05",), plane=_PLANE, components=_ON_AGENT)
def AGENT_STATUS_REPORTS(*, result: c.Outcome) -> None:
    """Instance reports sent to the control plane, by result."""


@span_kind("agent.instance_boot", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def AGENT_INSTANCE_BOOT_SPAN(*, instance_id: t.InstanceId = "", boot_id: t.BootId = "") -> None:
    """One boot, in the trace that asked for the instance."""


@span_kind("boot.image", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_IMAGE() -> None:
    """Image brought to this node."""


@span_kind("boot.rootdisk", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_ROOTDISK() -> None:
    """Build of the root disk."""


@span_kind("boot.network", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_NETWORK() -> None:
    """Set-up of the instance's network."""


@span_kind("boot.volume", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_VOLUME() -> None:
    """Attachment of volumes."""


@span_kind("boot.vmm_start", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_VMM_START() -> None:
    """Start of the machine monitor."""


@span_kind("boot.handshake", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_HANDSHAKE() -> None:
    """Handshake with the guest, until it has its config."""


@span_kind("boot.health", serves=("TRC-08",), plane=_PLANE, components=_ON_AGENT)
def BOOT_HEALTH() -> None:
    """Wait for the first passed health check."""


@span_kind("agent.exec_setup", serves=("TRC-11",), plane=_PLANE, components=_ON_AGENT)
def AGENT_EXEC_SETUP(*, instance_id: t.InstanceId) -> None:
    """Set-up of an exec session; neither token nor command arguments."""


@log_event("instance.boot_failed", serves=("MET-AG-05", "DBG-3-04"), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT)
def INSTANCE_BOOT_FAILED(*, operation: c.OperationName, duration_seconds: c.DurationSeconds, reason: c.Reason = "") -> None:
    """Instance could not be booted."""


INSTANCE_BOOT = Operation(
    name="agent.instance_boot", help="Brings one instance up.", plane=_PLANE, components=_ON_AGENT,
    serves=("MET-AG-04", "MET-AG-05", "TRC-08"), span=AGENT_INSTANCE_BOOT_SPAN, duration=AGENT_BOOT_DURATION,
    outcomes=(AGENT_BOOT_FAILURES,), reasons=t.INSTANCE_REASONS, failed=INSTANCE_BOOT_FAILED,
)  # fmt: skip


@log_event("instance.ready", serves=("DBG-3-01",), plane=_PLANE, components=_ON_AGENT)
def INSTANCE_READY(*, boot_seconds: t.BootSeconds) -> None:
    """Instance passed its health check."""


@log_event("instance.health_changed", serves=("DBG-1-05",), level=Level.WARN, plane=_PLANE, components=_ON_AGENT)
def INSTANCE_HEALTH_CHANGED(*, status: c.Status, reason: c.Reason = "") -> None:
    """An instance's health check changed its result."""


@log_event("instance.terminated", serves=("DBG-3-02", "DBG-3-03"), plane=_PLANE, components=_ON_AGENT)
def INSTANCE_TERMINATED(
    *,
    termination_class: t.TerminationClass,
    reason_code: t.ReasonCode = "",
    reason_detail: t.ReasonDetail = "",
    exit_code: t.ExitCode = None,
    memory_usage_bytes: t.MemoryUsage = None,
    memory_peak_bytes: t.MemoryPeak = None,
    memory_limit_bytes: t.MemoryLimit = None,
    memory_cap_exceeded: t.MemoryCapExceeded = None,
    cpu_throttled_seconds: t.CpuThrottled = None,
    cpu_pressure_ratio: t.CpuPressure = None,
    sampled_at: t.SampledAt = None,
) -> None:
    """Instance ended."""


@log_event("instance.adopted", serves=("DBG-3-01",), plane=_PLANE, components=_ON_AGENT)
def INSTANCE_ADOPTED(*, boot_id: t.BootId) -> None:
    """Instance that outlived the agent is watched again."""


# --- heartbeat ------------------------------------------------------------------------------------


@counter("agent_heartbeats_total", serves=("HLT-AG-05",), plane=_PLANE, components=_ON_AGENT)
def AGENT_HEARTBEATS(*, result: c.Outcome) -> None:
    """Heartbeats sent, by result."""


@gauge(
    "agent_heartbeat_last_success_timestamp_seconds", serves=("HLT-AG-05",), plane=_PLANE, components=_ON_AGENT,
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def AGENT_HEARTBEAT_LAST_SUCCESS() -> None:
    """Unix time of the last accepted heartbeat; absent before the first."""


@log_event("agent.heartbeat_failed", serves=("HLT-AG-05",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT)
def AGENT_HEARTBEAT_FAILED(*, attempt: c.Attempt) -> None:
    """The control plane did not accept a heartbeat."""


# --- disks ----------------------------------------------------------------------------------------

DiskKind = Annotated[Literal["volume_pool", "image_cache", "host_root", "scratch"], c.KIND]


@gauge("agent_disk_size_bytes", serves=("MET-AG-13",), plane=_PLANE, components=_ON_AGENT)
def AGENT_DISK_SIZE(*, kind: DiskKind) -> None:
    """Size of the file system."""


@gauge("agent_disk_free_bytes", serves=("MET-AG-13", "ALR-10"), plane=_PLANE, components=_ON_AGENT)
def AGENT_DISK_FREE(*, kind: DiskKind) -> None:
    """Free space of the file system, as an unprivileged process sees it."""


# --- readiness ------------------------------------------------------------------------------------

ENROLLED = Check(
    name="enrolled_authenticated", help="The node has an identity and its last call was accepted.", plane=_PLANE,
    components=_ON_AGENT, serves=("HLT-AG-01",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
OVERLAY_UP = Check(
    name="overlay_up", help="wg0 is present with at least one fresh peer, or no peers are configured.", plane=_PLANE,
    components=_ON_AGENT, serves=("HLT-AG-02",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
KVM_OK = Check(
    name="kvm_ok", help="/dev/kvm opens for reading and writing.", plane=_PLANE, components=_ON_AGENT,
    serves=("HLT-AG-03",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
DISK_OK = Check(
    name="disk_ok", help="Scratch and cache file systems are writable with at least a tenth free.", plane=_PLANE,
    components=_ON_AGENT, serves=("HLT-AG-04",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
HEARTBEAT_OK = Check(
    name="heartbeat_ok", help="A heartbeat was accepted lately.", plane=_PLANE, components=_ON_AGENT,
    serves=("HLT-AG-05",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
