"""Traces: OpenTelemetry's API over light spans, kept or dropped when the local trace ends (TRC-01 to TRC-12).

A room of its own because a span outlives the call that made it: what it costs while undecided, what is kept and how it
leaves are one policy. Importing it does not import ``opentelemetry.sdk``.
"""

from obslib.traces.bound_span import ActiveSpan, BoundSpan
from obslib.traces.provider import LightTracer, LightTracerProvider
from obslib.traces.sampling import Policy
from obslib.traces.tail import Bounds
from obslib.traces.traceparent import KEEP_MEMBER, Parent, parse
from obslib.traces.tracing import Tracing

__all__ = [
    "KEEP_MEMBER", "ActiveSpan", "BoundSpan", "Bounds", "LightTracer", "LightTracerProvider", "Parent", "Policy",
    "Tracing", "parse",
]  # fmt: skip
