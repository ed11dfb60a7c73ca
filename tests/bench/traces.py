"""Spans and propagation, against the OpenTelemetry SDK."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bench.harness import Row, Work
from bench.subject import WORK, subject

__all__ = ["ROWS"]


class _Nowhere(SpanExporter):
    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def _span() -> tuple[Work, Work]:
    work = subject(trace_success_ratio=0.05).span(WORK)
    tracer = TracerProvider().get_tracer("peer")

    def ours(n: int) -> None:
        for _ in range(n):
            with work(name="x"):
                pass

    def theirs(n: int) -> None:
        for _ in range(n):
            with tracer.start_as_current_span("bench.work", attributes={"name": "x"}):
                pass

    return ours, theirs


def _extract() -> tuple[Work, Work]:
    carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "ot=th:0"}
    extract, propagator = subject().traces.extract, TraceContextTextMapPropagator()

    def ours(n: int) -> None:
        for _ in range(n):
            extract(carrier)

    def theirs(n: int) -> None:
        for _ in range(n):
            propagator.extract(carrier)

    return ours, theirs


def _inject() -> tuple[Work, Work]:
    observability = subject()
    traces, propagator = observability.traces, TraceContextTextMapPropagator()
    span = observability.span(WORK)

    def ours(n: int) -> None:
        with span(name="x"):
            for _ in range(n):
                traces.inject({})

    def theirs(n: int) -> None:
        with span(name="x"):
            for _ in range(n):
                propagator.inject({})

    return ours, theirs


ROWS = (
    Row(id="P12", what="span, each eligible for the tail decision", peer="OpenTelemetry SDK, sampled", target=0.20, make=_span),
    Row(id="P13", what="inject traceparent", peer="OpenTelemetry propagator", target=0.35, make=_inject),
    Row(id="P13", what="extract traceparent", peer="OpenTelemetry propagator", target=0.40, make=_extract),
)
