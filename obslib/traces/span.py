"""The light span: OpenTelemetry's ``Span``, holding only what is needed should its trace be kept.

A room of its own because it is the hot path: starting and ending one costs a few attribute writes, and nothing is formatted,
redacted or converted before the trace is known to be kept. Its methods never raise; what fails is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, TypeAlias

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import (
    INVALID_SPAN,
    INVALID_SPAN_CONTEXT,
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AnyValue, Attributes

from obslib.classify import Classifier
from obslib.guard import Guard
from obslib.traces.attributes import Redaction, class_name, held, held_all, message
from obslib.traces.local_trace import LocalTrace
from obslib.traces.tail import Tail
from obslib.traces.traceparent import Parent

__all__ = ["CONTEXT", "SPAN_KEY", "EventRecord", "LightSpan", "LinkRecord", "Scope", "SpanParent", "parent_of"]

CONTEXT = attach(get_current()).var
"""The context variable in which OpenTelemetry keeps its context: what ``attach`` changes, in fewer calls."""

(SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())
"""Where OpenTelemetry's context keeps the current span."""

_MAX_ATTRIBUTES = 128
_MAX_EVENTS = 128
_MAX_LINKS = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """Who makes spans: a component, the library that instruments it, and what its spans need while they run."""

    tail: Tail
    redactor: Redaction | None
    classifier: Classifier
    guard: Guard
    resource: tuple[tuple[str, str], ...]
    library: str = "obslib"
    library_version: str = ""
    schema_url: str = ""


class EventRecord(NamedTuple):
    """Something that happened during a span, at ``at`` monotonic seconds, or at ``time_ns`` when that was given."""

    name: str
    at: float
    time_ns: int | None
    attributes: Mapping[str, object]


class LinkRecord(NamedTuple):
    """Another span that caused this one without being its parent."""

    to: Parent
    attributes: Mapping[str, object]


class LightSpan(Span):
    """A span of a local trace. Times are monotonic seconds; ``start_ns`` and ``end_ns`` are set when a caller gave them."""

    # Defaults live on the class, so that making a span writes only what differs.
    trace: LocalTrace | None = None
    span_id = 0
    parent_id = 0
    kind = SpanKind.INTERNAL
    started = 0.0
    ended = 0.0
    start_ns: int | None = None
    end_ns: int | None = None
    events: Sequence[EventRecord] = ()
    links: Sequence[LinkRecord] = ()
    dropped_attributes = 0
    dropped_events = 0
    dropped_links = 0
    has_failed = False
    is_declared = False
    """Whether the name comes from a declaration, and so needs no redaction."""
    is_root = False
    is_ended = False
    is_recorded = False
    status = StatusCode.UNSET
    description = ""
    error_class = ""
    _context: SpanContext | None = None
    _ids: tuple[str, str] | None = None
    _header = ""
    _records_exceptions = True
    _fails_on_exceptions = True
    _recorded = 0

    def __init__(self, scope: Scope, name: str) -> None:
        self.scope = scope
        self.name = name
        self.attributes: dict[str, object] = {}

    def begin(self, parent: SpanParent) -> None:
        """Join the parent's local trace, or start one here when the parent is elsewhere or there is none."""
        tail = self.scope.tail
        above = 0
        if parent is None:
            trace = tail.new_trace(None)
            self.is_root = True
        elif isinstance(parent, LightSpan) and parent.trace is not None and parent.trace.tail is tail:
            trace, above = parent.trace, parent.span_id
        else:
            remote = parent if isinstance(parent, Parent) else parent_of(parent)
            trace, above = tail.new_trace(remote), remote.span_id if remote else 0
            self.is_root = True
        self.trace = trace
        self.started = tail.monotonic()
        if tail.opened(trace):
            self.is_recorded = True
            self.span_id = tail.span_id()
            if above:
                self.parent_id = above
            if self.is_root:
                trace.started = self.started
        else:
            self.is_ended = True
            # What is not recorded must not become anybody's missing parent.
            self.span_id = above or tail.span_id()

    def mute(self) -> None:
        """Become a span under which nothing is recorded, and which has no ids."""
        self.trace = LocalTrace.unrecorded(self.scope.tail, Parent(0, 0, 0))
        self.is_ended = True

    @property
    def seconds(self) -> float:
        """How long the span took; 0 while it runs."""
        return max(self.ended - self.started, 0.0) if self.ended else 0.0

    @property
    def ids(self) -> tuple[str, str]:
        """Trace id and span id in hexadecimal; empty before the span has begun."""
        ids = self._ids
        if ids is None:
            trace = self.trace
            if trace is None or not trace.trace_id:
                return ("", "")
            ids = self._ids = (trace.hex_id, f"{self.span_id:016x}")
        return ids

    @property
    def traceparent(self) -> str:
        """The header that makes a span elsewhere a child of this one; empty before the span has begun."""
        if not self._header and self.trace is not None and self.trace.trace_id:
            self._header = f"00-{self.trace.hex_id}-{self.span_id:016x}-{self.trace.flags:02x}"
        return self._header

    def note_failure(self, error: BaseException | None) -> None:
        """Mark the span failed; the exception's type and message become an event, its class an attribute."""
        self.has_failed = True
        self.status = StatusCode.ERROR
        self.error_class = self.scope.classifier.error_class(error)
        if error is not None and self._recorded != id(error):
            self._note_exception(error, None, None)
            self.description = str(held(message(error), "description", self.scope.redactor))

    def get_span_context(self) -> SpanContext:
        """The span's identity as OpenTelemetry's object; invalid before the span has begun."""
        context = self._context
        if context is None:
            trace = self.trace
            if trace is None:
                return INVALID_SPAN_CONTEXT
            context = self._context = SpanContext(trace.trace_id, self.span_id, False, TraceFlags(trace.flags), trace.state)
        return context

    def is_recording(self) -> bool:
        """Whether the span has begun, is recorded and has not ended."""
        return self.is_recorded and not self.is_ended

    def set_attribute(self, key: str, value: AnyValue) -> None:
        """Attach a value; past 128 attributes new keys are dropped and counted on the span."""
        if self.is_ended:
            return
        try:
            if key not in self.attributes and len(self.attributes) >= _MAX_ATTRIBUTES:
                self.dropped_attributes += 1
            elif value is not None:
                self.attributes[str(key)] = held(value, str(key), self.scope.redactor)
        except Exception as error:
            self.scope.guard.note("traces", error)

    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        """Attach several values."""
        with self.scope.guard.quiet("traces"):
            for key, value in attributes.items():
                self.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Note something that happened; past 128 events new ones are dropped and counted on the span."""
        if self.is_ended:
            return
        with self.scope.guard.quiet("traces"):
            self._add_event(name, held_all(attributes or {}, self.scope.redactor), timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Point at another span; past 128 links new ones are dropped and counted on the span."""
        if self.is_ended:
            return
        self.add_links([Link(context, attributes)])

    def add_links(self, links: Sequence[Link]) -> None:
        """Point at other spans; invalid contexts are left out."""
        with self.scope.guard.quiet("traces"):
            for link in links:
                if parent := _parent_in(link.context):
                    self.link((LinkRecord(parent, held_all(link.attributes or {}, self.scope.redactor)),))

    def link(self, records: Sequence[LinkRecord]) -> None:
        """Add links that are already read."""
        links = (*self.links, *records)
        self.links = links[:_MAX_LINKS]
        self.dropped_links += len(links) - len(self.links)

    def update_name(self, name: str) -> None:
        """Give the span another name."""
        if not self.is_ended:
            self.name, self.is_declared = name, False

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the outcome; an error makes the whole local trace one that is kept. OK is final, as OpenTelemetry asks."""
        if self.is_ended or self.status is StatusCode.OK:
            return
        code, text = (status.status_code, status.description) if isinstance(status, Status) else (status, description)
        if code is not StatusCode.OK and code is not StatusCode.ERROR:
            return
        self.status, self.has_failed = code, code is StatusCode.ERROR
        with self.scope.guard.quiet("traces"):
            self.description = str(held(text or "", "description", self.scope.redactor)) if self.has_failed else ""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Note an exception as an event, without a stack: that is in the log line of the same trace."""
        if self.is_ended:
            return
        with self.scope.guard.quiet("traces"):
            self.error_class = self.scope.classifier.error_class(exception)
            self._note_exception(exception, attributes, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End the span, now or at ``end_time`` (Unix nanoseconds); only the first call counts."""
        trace = self.trace
        if trace is None or self.is_ended:
            return
        try:
            now = self.ended = trace.tail.monotonic()
            if isinstance(end_time, int):
                self.end_ns = end_time
                self.ended = self._monotonic_of(end_time)
                if self.is_root:
                    trace.root_seconds = self.seconds
            trace.tail.ended(self, trace, now)
        except Exception as error:
            self.scope.guard.note("traces", error)

    def started_at(self, start_ns: int | None) -> None:
        """Date the beginning back to ``start_ns`` (Unix nanoseconds); anything but an integer is left aside."""
        if not isinstance(start_ns, int):
            return
        self.start_ns, self.started = start_ns, self._monotonic_of(start_ns)
        if self.trace is not None and self.is_root:
            self.trace.started = self.started

    def when_left(self, *, record: bool, fail: bool) -> None:
        """Choose what an exception that leaves the ``with`` block of an unattached span does."""
        self._records_exceptions, self._fails_on_exceptions = record, fail

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if isinstance(exc_val, Exception):
            if self._records_exceptions:
                self.record_exception(exc_val)
            if self._fails_on_exceptions:
                self.set_status(StatusCode.ERROR, message(exc_val))
        self.end()

    def _monotonic_of(self, time_ns: int) -> float:
        tail = self.scope.tail
        return tail.monotonic() - (tail.now() - time_ns / 1e9)

    def _note_exception(self, error: BaseException, attributes: Attributes, timestamp: int | None) -> None:
        self._recorded = id(error)
        noted = {"exception.type": class_name(error), "exception.message": message(error), **(attributes or {})}
        self._add_event("exception", held_all(noted, self.scope.redactor), timestamp)

    def _add_event(self, name: str, attributes: Mapping[str, object], time_ns: int | None) -> None:
        if len(self.events) >= _MAX_EVENTS:
            self.dropped_events += 1
            return
        self.events = (*self.events, EventRecord(name, self.scope.tail.monotonic(), time_ns, attributes))


SpanParent: TypeAlias = Span | Parent | None
"""What a span may have above it: a span of this process, one elsewhere, or nothing."""


def parent_of(span: Span) -> Parent | None:
    """Another library's span, or a remote one, as a parent; ``None`` when it is not valid."""
    return _parent_in(span.get_span_context())


def _parent_in(context: SpanContext) -> Parent | None:
    if not context.is_valid:
        return None
    return Parent(
        trace_id=context.trace_id,
        span_id=context.span_id,
        flags=int(context.trace_flags),
        tracestate=context.trace_state.to_header(),
    )
