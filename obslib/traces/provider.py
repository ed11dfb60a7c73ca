"""OpenTelemetry's provider and tracer over light spans, so that any instrumentation library works.

A room of its own because it is the only part that speaks OpenTelemetry's API to strangers. Their spans join ours in one
trace and follow the same tail decision. SDK span processors do not see light spans; exporters do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, NonRecordingSpan, SpanKind
from opentelemetry.util.types import Attributes

from obslib.traces.span import CONTEXT, SPAN_KEY, LightSpan, Scope, SpanParent

__all__ = ["LightTracer", "LightTracerProvider"]


class LightTracer(api.NoOpTracer):
    """Starts light spans for one instrumentation library; ``start_as_current_span`` is OpenTelemetry's own."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> api.Span:
        """Start a span under the one in ``context`` (else the current one); never raises, an invalid span at worst."""
        try:
            found = (CONTEXT.get() if context is None else context).get(SPAN_KEY)
            parent: SpanParent = found if isinstance(found, api.Span) else None
            span = LightSpan(self._scope, str(name))
            span.kind = kind
            span.when_left(record=record_exception, fail=set_status_on_exception)
            span.begin(parent)
        except Exception as error:
            self._scope.guard.note("traces", error)
            return NonRecordingSpan(INVALID_SPAN.get_span_context())
        span.started_at(start_time)
        if attributes is not None:
            span.set_attributes(attributes)
        if links is not None:
            span.add_links(links)
        return span


class LightTracerProvider(api.TracerProvider):
    """Gives out tracers; make it OpenTelemetry's global provider to trace third-party libraries."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, object] | None = None,
    ) -> LightTracer:
        """Make a tracer whose spans name the library that made them; ``attributes`` of a scope are not exported."""
        return LightTracer(
            replace(
                self._scope,
                library=str(instrumenting_module_name or "unknown"),
                library_version=str(instrumenting_library_version or ""),
                schema_url=str(schema_url or ""),
            )
        )
