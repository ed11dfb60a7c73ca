"""The keys of the retention policy, and the signals of those who carry it out."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, Loop, log_event, span_kind
from obslib.catalog.upkeep import Retention

_CP = ("control-plane",)
_PLANE = Plane.CONTROL_PLANE

# --- keys -----------------------------------------------------------------------------------------

PLATFORM_LOGS = Retention(
    name="retention_platform_logs", key="retention.platform_logs", documented_default="14d", plane=_PLANE, components=_CP,
    serves=("RET-01", "RET-07", "LOG-11"),
    help="Log lines of the platform's own components; carried out by whatever collects their standard output.",
)  # fmt: skip
WORKLOAD_LOGS = Retention(
    name="retention_workload_logs", key="retention.workload_logs", documented_default="7d", plane=_PLANE, components=_CP,
    serves=("RET-02", "RET-07"), help="Lines of tenants' workloads; older ones are purged from the log store.",
)  # fmt: skip
METRICS = Retention(
    name="retention_metrics", key="retention.metrics", documented_default="14d", plane=_PLANE, components=_CP,
    serves=("RET-03", "RET-07"), help="Series in Prometheus; rendered into --storage.tsdb.retention.time.",
)  # fmt: skip
TRACES = Retention(
    name="retention_traces", key="retention.traces", documented_default="7d", words=("not_stored",), plane=_PLANE,
    components=_CP, serves=("RET-04", "RET-07"), help="Traces in the backend they are exported to, if there is one.",
)  # fmt: skip
AUDIT_EVENTS = Retention(
    name="retention_audit_events", key="retention.audit_events", documented_default="permanent", words=("permanent",),
    needs_decision=True, plane=_PLANE, components=_CP, serves=("RET-05", "RET-06", "RET-07"),
    help="The event log and the audit trail, which nothing shortens unless a policy and an accepted ADR say so.",
)  # fmt: skip

# --- purging --------------------------------------------------------------------------------------

PurgedKind = Annotated[Literal["platform_logs", "workload_logs", "metrics", "traces"], c.KIND]


@counter("retention_purged_records_total", serves=("RET-02",), plane=_PLANE, components=_CP)
def RETENTION_PURGED(*, kind: PurgedKind) -> None:
    """Records removed because the policy no longer keeps them; what audit needs is not among the kinds."""


@span_kind("retention.purge", serves=("RET-02",), plane=_PLANE, components=_CP)
def RETENTION_PURGE_SPAN(*, count: t.Count = 0) -> None:
    """One pass over everything that is purged."""


@log_event("retention.purged", serves=("RET-02",), plane=_PLANE, components=_CP)
def RETENTION_PURGED_LINE(*, kind: t.Kind, count: t.Count) -> None:
    """Records older than the policy keeps were removed."""


RETENTION_PURGE = Loop(
    name="retention_purge", help="Removes what the retention policy no longer keeps.", plane=_PLANE, components=_CP,
    serves=("RET-02",), span=RETENTION_PURGE_SPAN, failed=c.LOOP_FAILED, is_critical=False,
)  # fmt: skip

# --- the event log --------------------------------------------------------------------------------


@counter("event_log_discard_refusals_total", serves=("RET-06",), plane=_PLANE, components=_CP)
def EVENT_LOG_DISCARD_REFUSALS() -> None:
    """Attempts to shorten the event log that were refused."""


@log_event("event_log.discard_refused", serves=("RET-06",), level=Level.WARN, plane=_PLANE, components=_CP)
def EVENT_LOG_DISCARD_REFUSED(*, reason: c.Reason, detail: c.Detail) -> None:
    """An attempt to shorten the event log was refused."""
