"""Signals about what tenants' workloads write; they count lines, they never hold any."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter, gauge
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, log_event

_ON_AGENT = ("agent",)


@counter("workload_log_lines_total", serves=("WLG-06",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_LINES(*, stream: Annotated[Literal["stdout", "stderr"], c.STREAM]) -> None:
    """Console lines read from workloads, kept or not."""


@counter("workload_log_bytes_total", serves=("WLG-06",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_BYTES() -> None:
    """Console bytes read from workloads, kept or not."""


@counter("workload_log_truncated_lines_total", serves=("WLG-06",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_TRUNCATED() -> None:
    """Console lines cut at the line cap."""


@counter("workload_log_dropped_bytes_total", serves=("WLG-06", "WLG-07"), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_DROPPED_BYTES() -> None:
    """Console bytes given up before anybody had read them, because the console file was full."""


@counter("workload_log_forwarded_lines_total", serves=("WLG-07",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_FORWARDED(*, result: c.Outcome) -> None:
    """Console lines sent to the control plane: acknowledged, or in a request that failed and is sent again."""


LossReason = Annotated[Literal["buffer_full", "rate_limited", "rejected", "console_full", "spool_lost"], c.REASON]


@counter("workload_log_dropped_lines_total", serves=("WLG-07", "OWN-09"), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_DROPPED(*, reason: LossReason) -> None:
    """Console lines that will never reach a reader, each covered by a gap; 1 for a gap whose lines nobody could count."""


@gauge("workload_log_buffer_bytes", serves=("WLG-07",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_BUFFER() -> None:
    """Bytes of console lines on this node that the control plane does not have yet."""


@gauge("workload_log_unaccounted_lines", serves=("OWN-09",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_UNACCOUNTED() -> None:
    """Lines given a number that are neither forwarded nor dropped nor waiting; anything but 0 is a defect."""


@counter("workload_log_spool_errors_total", serves=("WLG-07",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_SPOOL_ERRORS(*, reason: Annotated[Literal["disk_full", "corrupt", "unusable"], c.REASON]) -> None:
    """Times the file that holds console lines could not be read or written."""


@log_event("workload_log.loss_began", serves=("WLG-07",), level=Level.WARN, plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_LOSS_BEGAN(*, instance_id: t.InstanceId, reason: c.Reason) -> None:
    """Console lines of an instance are being lost."""


@log_event("workload_log.loss_ended", serves=("WLG-07",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_LOSS_ENDED(
    *, instance_id: t.InstanceId, reason: c.Reason, count: t.Count, duration_seconds: c.DurationSeconds
) -> None:
    """Console lines of an instance arrive again."""


@log_event("workload_log.forward_failed", serves=("WLG-07",), level=Level.ERROR, plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_FORWARD_FAILED(*, attempt: c.Attempt) -> None:
    """The control plane did not take console lines; they wait on this node."""


@log_event("workload_log.capture_failed", serves=("WLG-07",), level=Level.ERROR, plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_CAPTURE_FAILED(*, attempt: c.Attempt) -> None:
    """Console lines could not be kept on this node; they wait in their console."""
