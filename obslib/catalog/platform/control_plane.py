"""Signals of the control plane, the projector and the scheduler."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import AcrossWorkers, counter, gauge, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.platform.consumers import SCHEDULER_CURSOR
from obslib.catalog.signals import Check, Importance, Level, Loop, Operation, log_event, span_kind

CP = "control-plane"
PROJECTOR = "projector"
SCHEDULER = "scheduler"
_PLANE = Plane.CONTROL_PLANE
_API = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

# --- HTTP -----------------------------------------------------------------------------------------


@counter("http_requests_total", serves=("MET-CP-01",), plane=_PLANE, components=(CP,), joints=(t.ROUTES,))
def HTTP_REQUESTS(*, method: t.Method, path_template: t.PathTemplate, status_class: t.StatusClass) -> None:
    """Requests answered, by route template and class of status."""


@counter("http_request_errors_total", serves=("MET-CP-02",), plane=_PLANE, components=(CP,), joints=(t.ROUTES,))
def HTTP_REQUEST_ERRORS(*, method: t.Method, path_template: t.PathTemplate, error_class: c.AnyErrorClass) -> None:
    """Requests answered with an error, by class of error."""


@histogram(
    "http_request_duration_seconds", serves=("MET-CP-03",), plane=_PLANE, components=(CP,), joints=(t.ROUTES,), buckets=_API
)
def HTTP_REQUEST_DURATION(*, method: t.Method, path_template: t.PathTemplate) -> None:
    """Time from the first byte of the request to the end of the response."""


@span_kind("http.request", serves=("TRC-01",), plane=_PLANE, components=(CP,))
def HTTP_REQUEST_SPAN(*, method: t.HttpMethod, path_template: t.Template = "", status_code: t.StatusCode = 0) -> None:
    """One request, from acceptance to the end of the response."""


@span_kind("http.response", serves=("TRC-01",), plane=_PLANE, components=(CP,))
def HTTP_RESPONSE_SPAN(*, status_code: t.StatusCode) -> None:
    """Rendering and sending of the response."""


@span_kind("command.validate", serves=("TRC-01",), plane=_PLANE, components=(CP,))
def COMMAND_VALIDATE(*, operation: c.OperationName) -> None:
    """Validation of a command against the views."""


@log_event("http.access", serves=("LOG-05", "MET-CP-01"), plane=_PLANE, components=(CP,))
def HTTP_ACCESS(
    *, method: t.HttpMethod, path_template: t.Template, status_code: t.StatusCode, duration_seconds: c.DurationSeconds
) -> None:
    """Request answered."""


@log_event("http.failed", serves=("LOG-08",), level=Level.ERROR, plane=_PLANE, components=(CP,))
def HTTP_FAILED(*, method: t.HttpMethod, path_template: t.Template, status_code: t.StatusCode) -> None:
    """Request failed on the server's side."""


# --- event log ------------------------------------------------------------------------------------

_APPENDERS = (CP, SCHEDULER)
AppendResult = Annotated[Literal["success", "conflict", "failure"], c.RESULT]


@counter("event_append_total", serves=("MET-CP-04",), plane=_PLANE, components=_APPENDERS)
def EVENT_APPENDS(*, result: AppendResult) -> None:
    """Append transactions by result; a sequence clash is a conflict, not a failure."""


@histogram("event_append_duration_seconds", serves=("MET-CP-05",), plane=_PLANE, components=_APPENDERS)
def EVENT_APPEND_DURATION(*, result: AppendResult) -> None:
    """Time of one append transaction."""


@span_kind("event.append", serves=("TRC-01", "TRC-02"), plane=_PLANE, components=_APPENDERS)
def EVENT_APPEND_SPAN(*, count: t.Count = 0, event_type: t.EventType = "") -> None:
    """One transaction that appends the events of a command."""


@log_event("event.appended", serves=("TRC-04", "DBG-4-01"), plane=_PLANE, components=_APPENDERS)
def EVENT_APPENDED(*, event_id: t.EventId, event_type: t.EventType, aggregate_type: t.AggregateType) -> None:
    """Event appended."""


EVENT_APPEND = Loop(
    name="event_append", help="Appends the events of a command.", plane=_PLANE, components=_APPENDERS,
    serves=("STN-03", "STN-04", "STN-05"), span=EVENT_APPEND_SPAN, also=(EVENT_APPENDS, EVENT_APPEND_DURATION),
    failed=c.LOOP_FAILED, stalled_after_s=30.0,
)  # fmt: skip


@counter("idempotency_hits_total", serves=("EXT-10",), plane=_PLANE, components=(CP,))
def IDEMPOTENCY_HITS() -> None:
    """Commands answered from a stored response because their idempotency key was seen before."""


@counter("idempotency_conflicts_total", serves=("EXT-10",), plane=_PLANE, components=(CP,))
def IDEMPOTENCY_CONFLICTS() -> None:
    """Idempotency keys reused with another body."""


# --- database -------------------------------------------------------------------------------------

_DB = (CP, PROJECTOR, SCHEDULER)


@gauge("db_up", serves=("ALR-02",), plane=_PLANE, components=_DB, across_workers=AcrossWorkers.MAX)
def DB_UP() -> None:
    """1 while the database answers, 0 while it does not."""


@gauge("db_pool_connections", serves=("MET-CP-06",), plane=_PLANE, components=_DB)
def DB_POOL_CONNECTIONS(*, state: Annotated[Literal["in_use", "idle"], c.STATE]) -> None:
    """Connections of the pool by state."""


@gauge("db_pool_connections_max", serves=("MET-CP-06",), plane=_PLANE, components=_DB)
def DB_POOL_CONNECTIONS_MAX() -> None:
    """Largest number of connections the pool may open."""


@gauge("db_pool_waiters", serves=("MET-CP-06",), plane=_PLANE, components=_DB)
def DB_POOL_WAITERS() -> None:
    """Callers waiting for a connection."""


@histogram("db_pool_acquire_duration_seconds", serves=("MET-CP-06",), plane=_PLANE, components=_DB)
def DB_POOL_ACQUIRE_DURATION() -> None:
    """Wait for a connection from the pool."""


@counter("db_pool_acquire_timeouts_total", serves=("MET-CP-06",), plane=_PLANE, components=_DB)
def DB_POOL_ACQUIRE_TIMEOUTS() -> None:
    """Waits for a connection that ran out of time."""


@histogram("db_query_duration_seconds", serves=("EXT-14",), plane=_PLANE, components=_DB)
def DB_QUERY_DURATION(*, operation: t.DbOperation) -> None:
    """Time of a database operation by class."""


@span_kind("db.query", serves=("TRC-05",), plane=_PLANE, components=_DB)
def DB_QUERY(*, operation: c.OperationName) -> None:
    """One database operation; the statement is never attached."""


# --- projections ----------------------------------------------------------------------------------


@gauge(
    "projection_last_applied_event_id", serves=("MET-CP-07",), plane=_PLANE, components=(PROJECTOR,),
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def PROJECTION_LAST_APPLIED(*, projection: t.ProjectionName) -> None:
    """Checkpoint of the projection."""


@gauge(
    "projection_lag_events", serves=("MET-CP-08", "DBG-2-02"), plane=_PLANE, components=(PROJECTOR,),
    across_workers=AcrossWorkers.MIN,
)  # fmt: skip
def PROJECTION_LAG(*, projection: t.ProjectionName) -> None:
    """Newest event id the projection would consume minus its checkpoint, never below 0."""


@gauge("projection_lag_seconds", serves=("OWN-08",), plane=_PLANE, components=(PROJECTOR,), across_workers=AcrossWorkers.MIN)
def PROJECTION_LAG_SECONDS(*, projection: t.ProjectionName) -> None:
    """Age of the oldest event the projection has not applied, 0 when it is caught up."""


@histogram("projection_event_processing_duration_seconds", serves=("MET-CP-09",), plane=_PLANE, components=(PROJECTOR,))
def PROJECTION_PROCESSING(*, event_type: t.EventTypeLabel) -> None:
    """Time to apply one event, by its type."""


@counter("projection_errors_total", serves=("MET-CP-09",), plane=_PLANE, components=(PROJECTOR,))
def PROJECTION_ERRORS(*, projection: t.ProjectionName, error_class: c.AnyErrorClass) -> None:
    """Events a projection could not apply, by class of error."""


@span_kind("projections.cycle", serves=("STN-04",), plane=_PLANE, components=(PROJECTOR,))
def PROJECTIONS_CYCLE(*, count: t.Count = 0) -> None:
    """One batch of events applied to the views; linked to the traces that appended them."""


@span_kind("projection.apply", serves=("TRC-03", "TRC-04"), plane=_PLANE, components=(PROJECTOR,))
def PROJECTION_APPLY(*, projection: t.Projection, event_id: t.EventId, event_type: t.EventType) -> None:
    """One event applied to one view, in the trace that appended it."""


@log_event("projection.applied", serves=("TRC-04", "DBG-2-02"), plane=_PLANE, components=(PROJECTOR,))
def PROJECTION_APPLIED(*, projection: t.Projection, event_id: t.EventId, event_type: t.EventType) -> None:
    """Event applied to its view."""


@log_event("projection.failed", serves=("MET-CP-09",), level=Level.ERROR, plane=_PLANE, components=(PROJECTOR,))
def PROJECTION_FAILED(*, projection: t.Projection, event_id: t.EventId, event_type: t.EventType) -> None:
    """Event could not be applied; the checkpoint stays before it."""


PROJECTIONS = Loop(
    name="projections", help="Applies events to the views.", plane=_PLANE, components=(PROJECTOR,),
    serves=("STN-03", "STN-04", "STN-05"), span=PROJECTIONS_CYCLE, failed=c.LOOP_FAILED,
)  # fmt: skip


@span_kind("projection.wait", serves=("TRC-01",), plane=_PLANE, components=(CP,))
def PROJECTION_WAIT(*, event_id: t.EventId) -> None:
    """Wait until the views hold the appended event."""


@log_event("projection.wait_timed_out", serves=("TRC-01",), level=Level.WARN, plane=_PLANE, components=(CP,))
def PROJECTION_WAIT_TIMED_OUT(*, event_id: t.EventId, duration_seconds: c.DurationSeconds) -> None:
    """The command is accepted, but its view is not there yet."""


# --- change stream --------------------------------------------------------------------------------


@span_kind("changestream.distribute", serves=("TRC-03",), plane=_PLANE, components=(CP,))
def CHANGESTREAM_DISTRIBUTE(*, count: t.Count = 0) -> None:
    """Selection of what a consumer has not seen; linked to the traces that appended it."""


@span_kind("changestream.deliver", serves=("TRC-03",), plane=_PLANE, components=(CP,))
def CHANGESTREAM_DELIVER(*, consumer: t.Consumer, cursor_event_id: c.CursorEventId = 0) -> None:
    """Hand-over of a plan, a config or a page of events to a consumer."""


@gauge(
    "node_last_heartbeat_timestamp_seconds", serves=("ALR-09",), plane=_PLANE, components=(CP,),
    across_workers=AcrossWorkers.MAX,
)  # fmt: skip
def NODE_LAST_HEARTBEAT(*, node_id: t.NodeIdLabel) -> None:
    """Unix time of the node's last accepted heartbeat; disabled nodes are left out."""


@log_event("node.reported", serves=("DBG-2-01",), plane=_PLANE, components=(CP,))
def NODE_REPORTED(*, node_id: t.NodeId, consumer: t.Consumer, status: c.Status) -> None:
    """A node reports for the first time, or again after silence."""


# --- scheduler ------------------------------------------------------------------------------------


@histogram("scheduler_loop_duration_seconds", serves=("MET-CP-10",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_LOOP_DURATION() -> None:
    """Time of one pass of the scheduler."""


@counter("scheduler_loop_runs_total", serves=("MET-CP-10", "ALR-06"), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_LOOP_RUNS(*, result: c.Outcome) -> None:
    """Passes of the scheduler by result."""


@histogram("scheduler_group_reconcile_duration_seconds", serves=("MET-CP-10",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_GROUP_DURATION(*, result: c.Outcome) -> None:
    """Time to reconcile one group."""


@counter("scheduler_placement_decisions_total", serves=("MET-CP-11",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_DECISIONS(
    *, decision: Annotated[Literal["allocated", "drained", "stopped", "unschedulable"], c.DECISION]
) -> None:
    """Decisions of the scheduler about single instances."""


@counter("scheduler_unschedulable_total", serves=("MET-CP-11",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_UNSCHEDULABLE(*, reason: t.SchedulerReason) -> None:
    """Instances that could not be placed, by reason."""


@counter("scheduler_failures_total", serves=("MET-CP-12",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_FAILURES(*, reason: t.SchedulerReason) -> None:
    """Group reconciles that failed, by reason."""


@counter("scheduler_backoffs_total", serves=("MET-CP-13", "DBG-2-03"), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_BACKOFFS(*, reason: t.SchedulerReason) -> None:
    """Groups put aside before their next try, by reason."""


@gauge("scheduler_groups_in_backoff", serves=("MET-CP-13",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_GROUPS_IN_BACKOFF() -> None:
    """Groups that wait for their next try."""


@span_kind("scheduler.loop", serves=("TRC-02",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_LOOP_SPAN(*, count: t.Count = 0) -> None:
    """One pass over the groups."""


@span_kind("scheduler.group_reconcile", serves=("TRC-02",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_GROUP_SPAN(*, env_id: t.EnvId, process_type: t.ProcessType) -> None:
    """One group compared with what it should be; linked to the trace of its deploy."""


@span_kind("scheduler.allocate", serves=("TRC-02",), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_ALLOCATE_SPAN(*, process_type: t.ProcessType, node_id: t.NodeId = "", decision: t.Decision = "") -> None:
    """One decision: where an instance goes, or which one leaves."""


@log_event("scheduler.decided", serves=("MET-CP-11", "DBG-1-02"), plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_DECIDED(
    *,
    decision: t.Decision,
    env_id: t.EnvId,
    process_type: t.ProcessType,
    group_spec_hash: t.GroupSpecHash,
    deploy_id: t.DeployId = "",
    instance_id: t.InstanceId = "",
    node_id: t.NodeId = "",
    reason: c.Reason = "",
) -> None:
    """Scheduler decided about an instance."""


@log_event("scheduler.group_failed", serves=("MET-CP-12", "STN-06"), level=Level.ERROR, plane=_PLANE, components=(SCHEDULER,))
def SCHEDULER_GROUP_FAILED(
    *,
    env_id: t.EnvId,
    process_type: t.ProcessType,
    reason: c.Reason,
    attempt: c.Attempt = 1,
    backoff_seconds: c.BackoffSeconds = 0.0,
) -> None:
    """A group could not be reconciled."""


SCHEDULER_LOOP = Loop(
    name="scheduler", help="Brings every group to what it should be.", plane=_PLANE, components=(SCHEDULER,),
    serves=("STN-03", "STN-04", "STN-05"), span=SCHEDULER_LOOP_SPAN, also=(SCHEDULER_LOOP_DURATION, SCHEDULER_LOOP_RUNS),
    cursor=SCHEDULER_CURSOR, failed=c.LOOP_FAILED,
)  # fmt: skip
GROUP_RECONCILE = Operation(
    name="scheduler.group_reconcile", help="Reconciles one group.", plane=_PLANE, components=(SCHEDULER,),
    serves=("MET-CP-10", "MET-CP-12", "TRC-02"), span=SCHEDULER_GROUP_SPAN, duration=SCHEDULER_GROUP_DURATION,
    outcomes=(SCHEDULER_FAILURES,), reasons=t.SCHEDULER_REASONS, failed=c.OPERATION_FAILED,
)  # fmt: skip

# --- readiness ------------------------------------------------------------------------------------

DB_CONNECTIVITY = Check(
    name="db_connectivity", help="The database answers.", plane=_PLANE, components=_DB,
    serves=("HLT-CP-01", "HLT-PJ-01", "HLT-SC-01"), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
EVENT_APPEND_OK = Check(
    name="event_append", help="Events can be appended: a recent real append, or a probe that is rolled back.",
    plane=_PLANE, components=(CP,), serves=("HLT-CP-02",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
PROJECTIONS_OK = Check(
    name="projections", help="The projector reports, and no critical projection is catastrophically behind.",
    plane=_PLANE, components=(CP,), serves=("HLT-CP-03",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
PROJECTIONS_CURRENT = Check(
    name="projections_current", help="No critical projection is more than 5 000 events behind.", plane=_PLANE,
    components=(CP,), serves=("HLT-CP-03",), importance=Importance.DEGRADES, deadline_s=1.0,
)  # fmt: skip
SCHEDULER_OK = Check(
    name="scheduler", help="The scheduler finished a pass within the last minute.", plane=_PLANE, components=(CP,),
    serves=("HLT-CP-04",), importance=Importance.OPTIONAL, deadline_s=1.0,
)  # fmt: skip
CONSUMERS_REPORTING = Check(
    name="consumers_reporting", help="Every enrolled, active agent and edge has reported lately.", plane=_PLANE,
    components=(CP,), serves=("HLT-02", "DBG-2-01"), importance=Importance.OPTIONAL, deadline_s=1.0,
)  # fmt: skip
CHECKPOINT_MOVING = Check(
    name="checkpoint_moving", help="A checkpoint moved lately, or there is nothing to apply.", plane=_PLANE,
    components=(PROJECTOR,), serves=("HLT-PJ-01",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
LOOP_PROGRESS = Check(
    name="loop_progress", help="The scheduler's loop makes progress.", plane=_PLANE, components=(SCHEDULER,),
    serves=("HLT-SC-01",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
