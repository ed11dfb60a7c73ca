"""From a light span to the SDK's ``ReadableSpan``, which is what exporters take.

A room of its own because it alone needs ``opentelemetry.sdk``, an import that a process without an exporter never pays
for. It runs on the export thread, for kept spans only; redaction happens here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeVar, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

from obslib.traces.attributes import Exported, exported, exported_name
from obslib.traces.local_trace import LocalTrace
from obslib.traces.span import EventRecord, LightSpan, Scope
from obslib.traces.traceparent import Parent

__all__ = ["readable"]

T = TypeVar("T")

_OK, _UNSET = Status(StatusCode.OK), Status(StatusCode.UNSET)


def readable(span: LightSpan) -> ReadableSpan:
    """Convert an ended span of a kept trace; a value that cannot be redacted is left out and noted."""
    scope, trace = span.scope, span.trace
    assert trace is not None, "only spans that began are kept"
    start = span.start_ns if span.start_ns is not None else _unix_ns(trace, span.started)
    end = span.end_ns if span.end_ns is not None else start + round(span.seconds * 1e9)
    attributes = {**_attributes(scope, span.attributes), **_verdict(span, trace)}
    links = [Link(_context(link.to), _attributes(scope, link.attributes)) for link in span.links]
    return ReadableSpan(
        name=span.name if span.is_declared else str(_value(scope, "name", span.name)),
        context=span.get_span_context(),
        parent=_parent(span, trace),
        resource=_resource(scope.resource),
        attributes=_with_dropped(attributes, span.dropped_attributes),
        events=_list_with_dropped([_event(scope, trace, event) for event in span.events], span.dropped_events),
        links=_list_with_dropped(links, span.dropped_links),
        kind=span.kind,
        status=_status(span),
        start_time=start,
        end_time=max(start, end),
        instrumentation_scope=_instrumentation(scope.library, scope.library_version, scope.schema_url),
    )


def _event(scope: Scope, trace: LocalTrace, event: EventRecord) -> Event:
    time_ns = event.time_ns if event.time_ns is not None else _unix_ns(trace, event.at)
    return Event(str(_value(scope, "event", event.name)), _attributes(scope, event.attributes), time_ns)


def _unix_ns(trace: LocalTrace, at: float) -> int:
    return trace.anchor_ns + round(at * 1e9)


def _verdict(span: LightSpan, trace: LocalTrace) -> dict[str, Exported]:
    """What helps to weigh the span: the class of an error, and on a local root why and at what rate it was kept."""
    told: dict[str, Exported] = {}
    if span.status is StatusCode.ERROR:
        told["error_class"] = span.error_class or str(span.scope.classifier.error_class(None))
    if span.is_root and trace.reason is not None:
        told["sampling_reason"] = trace.reason
        told["sampling_rate"] = trace.tail.policy.rate(trace.reason)
    return told


def _status(span: LightSpan) -> Status:
    if span.status is not StatusCode.ERROR:
        return _OK if span.status is StatusCode.OK else _UNSET
    return Status(StatusCode.ERROR, str(_value(span.scope, "description", span.description) or "") or None)


def _parent(span: LightSpan, trace: LocalTrace) -> SpanContext | None:
    if not span.parent_id:
        return None
    if trace.remote is not None and span.parent_id == trace.remote.span_id:
        return _context(trace.remote)
    return SpanContext(trace.trace_id, span.parent_id, False, TraceFlags(trace.flags), trace.state)


def _context(parent: Parent) -> SpanContext:
    state = TraceState.from_header([parent.tracestate] if parent.tracestate else [])
    return SpanContext(parent.trace_id, parent.span_id, True, TraceFlags(parent.flags), state)


def _attributes(scope: Scope, attributes: Mapping[str, object]) -> dict[str, Exported]:
    if not attributes:
        return {}
    found: dict[str, Exported] = {}
    for key, value in dict(attributes).items():
        safe = _value(scope, key, value)
        if safe is None:
            continue
        name = exported_name(key, scope.redactor)
        while name in found:
            name += "'"
        found[name] = safe
    return found


def _value(scope: Scope, key: str, value: object) -> Exported | None:
    try:
        return exported(value, key, scope.redactor)
    except Exception as error:
        scope.guard.note("traces", error)
        return None


def _with_dropped(attributes: dict[str, Exported], dropped: int) -> Mapping[str, Exported]:
    if not dropped:
        return attributes
    bounded = BoundedAttributes(attributes=attributes)
    bounded.dropped = dropped
    return cast("Mapping[str, Exported]", bounded)


def _list_with_dropped(items: list[T], dropped: int) -> Sequence[T]:
    if not dropped:
        return items
    bounded: BoundedList[T] = BoundedList(None)
    bounded.extend(items)
    bounded.dropped = dropped
    return bounded


@lru_cache(maxsize=64)
def _resource(attributes: tuple[tuple[str, str], ...]) -> Resource:
    return Resource(dict(attributes))


@lru_cache(maxsize=256)
def _instrumentation(name: str, version: str, schema_url: str) -> InstrumentationScope:
    return InstrumentationScope(name, version, schema_url)
