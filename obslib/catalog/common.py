"""Signals every process has, whatever its product: obslib's own telemetry, health and loop figures.

Without them loss would be hidden (requirements OWN-*), and every loop would invent its own names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog.catalog import Catalog
from obslib.catalog.declaration import Declaration, Plane
from obslib.catalog.families import AcrossWorkers, ExternalMetric, counter, gauge, histogram
from obslib.catalog.labels import Joint, Label, Pairs, Source
from obslib.catalog.signals import Field, Level, log_event
from obslib.errors import ErrorClass

__all__ = ["COMMON", "FIELDS"]

# --- labels -------------------------------------------------------------------------------------

RESULT = Label.closed("result", at_most=6)
REASON = Label.closed("reason", at_most=20)
KIND = Label.closed("kind", at_most=10)
STATE = Label.closed("state", at_most=10)
STREAM = Label.closed("stream", at_most=10)
ACTION = Label.closed("action", at_most=10)
DECISION = Label.closed("decision", at_most=10)
SIZE_CLASS = Label.closed("size_class", at_most=10)
VERSION = Label.budgeted("version", 1, pattern=r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}", why="one value per process")
METRIC = Label.closed("metric", at_most=256, source=Source.FAMILIES, why="the catalog's own families")
LABEL = Label.closed("label", at_most=64, source=Source.LABELS, why="the catalog's own labels")
CARRIED = Joint(name="carried", labels=("metric", "label"), at_most=0, source=Pairs.CARRIED, why="the labels each family has")
SOURCE = Label.closed("source", at_most=256, source=Source.MEASURED, why="the catalog's own counters and gauges")
LOOP = Label.closed("loop", at_most=32, source=Source.LOOPS, why="the catalog's own loops")
CHECK = Label.closed("check", at_most=10, source=Source.CHECKS, why="the component's own checks")
ERROR_CLASS = Label.closed("error_class", at_most=12, why="requirements §3.1")

AnyErrorClass = Annotated[ErrorClass, ERROR_CLASS]
Outcome = Annotated[Literal["success", "failure"], RESULT]

# --- fields -------------------------------------------------------------------------------------

FIELDS = (
    Field(name="error_class", help="Class of the failure, requirements §3.1."),
    Field(name="error_message", help="What went wrong, redacted, at most 1024 characters."),
    Field(name="error_code", help="The dependency's own code, when it has one."),
    Field(name="retryable", help="Whether the same call may succeed later."),
    Field(name="loop", help="Name of the critical loop."),
    Field(name="cycle_id", help="Id of one iteration of a loop.", id_prefix="cyc"),
    Field(name="attempt", help="Which consecutive try this was, from 1."),
    Field(name="backoff_seconds", help="Pause before the next try, in seconds."),
    Field(name="cursor_event_id", help="Last event fully processed by this consumer."),
    Field(name="pending", help="Pieces of work waiting."),
    Field(name="stack", help="Where a wedged loop stands, innermost call last."),
    Field(name="check", help="Name of the readiness check."),
    Field(name="status", help="Status of a check or a response."),
    Field(name="reason", help="Closed reason code."),
    Field(name="detail", help="A short sentence for a person."),
    Field(name="operation", help="Class of a database query or external call, requirements §3.6."),
    Field(name="duration_seconds", help="How long it took, in seconds."),
    Field(name="version", help="Version of the component."),
    Field(name="linked_trace_ids", help="Traces that caused this work without being its parent, at most 8."),
    Field(name="address", help="Address the process listens on."),
)
_F = {field.name: field for field in FIELDS}

LoopName = Annotated[str, _F["loop"]]
CycleId = Annotated[str, _F["cycle_id"]]
Attempt = Annotated[int, _F["attempt"]]
BackoffSeconds = Annotated[float, _F["backoff_seconds"]]
CursorEventId = Annotated[int, _F["cursor_event_id"]]
Pending = Annotated[int, _F["pending"]]
Stack = Annotated[str, _F["stack"]]
CheckName = Annotated[str, _F["check"]]
Status = Annotated[str, _F["status"]]
Reason = Annotated[str, _F["reason"]]
Detail = Annotated[str, _F["detail"]]
OperationName = Annotated[str, _F["operation"]]
DurationSeconds = Annotated[float, _F["duration_seconds"]]
Version = Annotated[str, _F["version"]]
Address = Annotated[str, _F["address"]]

# --- the process --------------------------------------------------------------------------------


@gauge("build_info", serves=("MET-ALL-01",), across_workers=AcrossWorkers.MAX)
def BUILD_INFO(*, version: Annotated[str, VERSION]) -> None:
    """Version of the component that runs; always 1."""


@log_event("component.started", serves=("STN-01",))
def COMPONENT_STARTED(*, version: Version, address: Address) -> None:
    """Component started."""


@log_event("component.stopped", serves=("STN-01",))
def COMPONENT_STOPPED(*, duration_seconds: DurationSeconds) -> None:
    """Component stopped; everything flushed that could be within the deadline."""


@log_event("component.failed", serves=("LOG-08", "LOG-09"), level=Level.ERROR)
def COMPONENT_FAILED() -> None:
    """Component ends because of an exception."""


# --- logs ---------------------------------------------------------------------------------------


@counter("log_lines_total", serves=("OWN-01",))
def LOG_LINES(*, result: Annotated[Literal["written", "dropped"], RESULT]) -> None:
    """Log lines offered to the sink, by what became of them."""


@counter("log_dropped_lines_total", serves=("OWN-01",))
def LOG_DROPPED_LINES(*, reason: Annotated[Literal["buffer_full", "write_error", "closed"], REASON]) -> None:
    """Log lines the sink gave up, by reason."""


RedactionKind = Literal[
    "typed", "key", "bearer", "pem", "url_password", "prefixed_token", "jwt", "enrollment", "assignment", "high_entropy"
]


@counter("log_redactions_total", serves=("LOG-10",))
def LOG_REDACTIONS(*, kind: Annotated[RedactionKind, KIND]) -> None:
    """Secrets replaced by a marker before anything was written, by rule."""


# --- metrics ------------------------------------------------------------------------------------


@counter("metric_label_overflow_total", serves=("OWN-02",), joints=(CARRIED,))
def METRIC_LABEL_OVERFLOW(*, metric: Annotated[str, METRIC], label: Annotated[str, LABEL]) -> None:
    """Label values folded into _other because the label's domain was full or did not list them."""


@counter("metric_label_rejections_total", serves=("OWN-02", "CARD-01"))
def METRIC_LABEL_REJECTIONS(
    *, reason: Annotated[Literal["hostname", "url", "email", "ip", "ulid", "uuid", "too_long", "secret"], REASON]
) -> None:
    """Label values folded into _other because of their shape."""


@counter("metric_source_errors_total", serves=("OWN-03",))
def METRIC_SOURCE_ERRORS(*, source: Annotated[str, SOURCE]) -> None:
    """Callback gauges and mirrored totals that could not be read."""


@counter("telemetry_guard_errors_total", serves=("OWN-06",))
def TELEMETRY_GUARD_ERRORS(
    *,
    kind: Annotated[
        Literal["logs", "metrics", "traces", "health", "loops", "invalid_id", "undeclared_field", "no_exception"], KIND
    ],
) -> None:
    """Telemetry calls that could not do what they were asked, swallowed so that the component goes on."""


# --- traces -------------------------------------------------------------------------------------


@counter("trace_spans_total", serves=("OWN-04",))
def TRACE_SPANS(*, result: Annotated[Literal["started", "kept", "exported", "dropped"], RESULT]) -> None:
    """Spans by what became of them."""


SpanDropReason = Literal[
    "not_sampled", "buffer_full", "queue_full", "export_failed", "no_exporter", "closed", "unfinished", "forked"
]


@counter("trace_dropped_spans_total", serves=("OWN-04",))
def TRACE_DROPPED_SPANS(*, reason: Annotated[SpanDropReason, REASON]) -> None:
    """Spans that were started and not exported, by reason; started == exported + dropped once nothing is under way."""


@counter("trace_sampling_decisions_total", serves=("TRC-07", "OWN-04"))
def TRACE_SAMPLING_DECISIONS(
    *,
    decision: Annotated[Literal["kept", "dropped"], DECISION],
    reason: Annotated[Literal["error", "slow", "ratio", "keep_flag", "disabled", "buffer_full"], REASON],
) -> None:
    """Decisions taken at the end of a local trace."""


# --- health -------------------------------------------------------------------------------------


@gauge("health_ready", serves=("HLT-02",), across_workers=AcrossWorkers.MIN)
def HEALTH_READY() -> None:
    """1 while /readyz answers 200, partial and degraded readiness included."""


@gauge("health_check_status", serves=("HLT-02",), across_workers=AcrossWorkers.MIN)
def HEALTH_CHECK_STATUS(*, check: Annotated[str, CHECK]) -> None:
    """1 when the check is ok, 0 when failing; absent while unknown or not applicable."""


@histogram("health_check_duration_seconds", serves=("OWN-05",), buckets=(0.001, 0.01, 0.1, 0.5, 1.0, 5.0))
def HEALTH_CHECK_DURATION(*, check: Annotated[str, CHECK]) -> None:
    """How long each background run of a check took."""


@gauge("health_check_age_seconds", serves=("OWN-05",), across_workers=AcrossWorkers.MAX)
def HEALTH_CHECK_AGE(*, check: Annotated[str, CHECK]) -> None:
    """Seconds since the check last finished."""


@log_event("health.check_changed", serves=("HLT-02",), level=Level.WARN)
def CHECK_CHANGED(*, check: CheckName, status: Status, reason: Reason) -> None:
    """A readiness check changed its status."""


# --- loops --------------------------------------------------------------------------------------


@gauge("loop_healthy", serves=("STN-03",), across_workers=AcrossWorkers.MIN)
def LOOP_HEALTHY(*, loop: Annotated[str, LOOP]) -> None:
    """1 while the loop is idle or working, 0 when it fails or is wedged."""


@gauge("loop_last_success_timestamp_seconds", serves=("STN-03",), across_workers=AcrossWorkers.MAX)
def LOOP_LAST_SUCCESS(*, loop: Annotated[str, LOOP]) -> None:
    """Unix time of the last successful iteration; absent before the first."""


@histogram("loop_iteration_duration_seconds", serves=("STN-04",))
def LOOP_ITERATION_DURATION(*, loop: Annotated[str, LOOP]) -> None:
    """How long an iteration of the loop took."""


@counter("loop_errors_total", serves=("STN-05", "DBG-2-03"))
def LOOP_ERRORS(*, loop: Annotated[str, LOOP], error_class: AnyErrorClass) -> None:
    """Failed iterations and failed pieces of work in a loop, by class of error."""


@counter("loop_iterations_total", serves=("STN-05",))
def LOOP_ITERATIONS(*, loop: Annotated[str, LOOP], result: Outcome) -> None:
    """Iterations of the loop by result."""


@log_event("loop.failed", serves=("STN-06",), level=Level.ERROR)
def LOOP_FAILED(
    *, loop: LoopName, cycle_id: CycleId, attempt: Attempt, backoff_seconds: BackoffSeconds, cursor_event_id: CursorEventId
) -> None:
    """An iteration of a critical loop failed."""


@log_event("loop.wedged", serves=("STN-03", "STN-06"), level=Level.ERROR)
def LOOP_WEDGED(
    *, loop: LoopName, cycle_id: CycleId, pending: Pending, duration_seconds: DurationSeconds, stack: Stack
) -> None:
    """A critical loop has work pending and makes no progress."""


@log_event("loop.recovered", serves=("STN-03",))
def LOOP_RECOVERED(*, loop: LoopName, duration_seconds: DurationSeconds) -> None:
    """A critical loop makes progress again."""


@log_event("operation.failed", serves=("STN-06",), level=Level.ERROR)
def OPERATION_FAILED(*, operation: OperationName, duration_seconds: DurationSeconds, reason: Reason = "") -> None:
    """A piece of work failed."""


# --- families that others export ------------------------------------------------------------------


def _external(
    name: str, help: str, series: int = 1, *, label_names: tuple[str, ...] = (), is_of_scraper: bool = False
) -> ExternalMetric:
    return ExternalMetric(
        name=name, help=help, plane=Plane.COMMON, serves=("MET-ALL-01",), series=series, label_names=label_names,
        is_of_scraper=is_of_scraper,
    )  # fmt: skip


UP = _external("up", "1 while the scrape of the target succeeds.", is_of_scraper=True)
_SCRAPE = tuple(
    _external(f"scrape_{name}", "Written by Prometheus for each target.", is_of_scraper=True)
    for name in ("duration_seconds", "samples_scraped", "samples_post_metric_relabeling", "series_added")
)
_PROCESS = tuple(
    _external(f"process_{name}", "From prometheus-client's process collector.")
    for name in (
        "virtual_memory_bytes", "resident_memory_bytes", "start_time_seconds", "cpu_seconds_total", "open_fds", "max_fds",
    )
)  # fmt: skip
_PYTHON = (
    *(
        _external(f"python_gc_{name}_total", "From prometheus-client's GC collector.", 3, label_names=("generation",))
        for name in ("objects_collected", "objects_uncollectable", "collections")
    ),
    _external(
        "python_info", "From prometheus-client's platform collector.",
        label_names=("implementation", "major", "minor", "patchlevel", "version"),
    ),
)  # fmt: skip

COMMON = Catalog(
    "common",
    fields=FIELDS,
    signals=(*(x for x in list(globals().values()) if isinstance(x, Declaration)), *_SCRAPE, *_PROCESS, *_PYTHON),
)
"""What a service outside any platform starts from: ``COMMON.extend(components=[...], signals=[...])``."""
