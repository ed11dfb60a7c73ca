"""Traces of one process: binds declared spans, carries context over the wire, and exports what is kept.

This is the room's front desk; the runtime makes one per process and one view of it per further component.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, ParamSpec

from opentelemetry.context import attach
from opentelemetry.trace import Span, set_span_in_context

from obslib.catalog import Catalog, SpanKind
from obslib.classify import Classifier
from obslib.clock import Clock
from obslib.guard import Guard
from obslib.ids import IdSource
from obslib.tally import Tally
from obslib.traces.accounts import Accounts
from obslib.traces.attributes import Redaction
from obslib.traces.bound_span import ActiveSpan, BoundSpan
from obslib.traces.export import ExportQueue
from obslib.traces.provider import LightTracerProvider
from obslib.traces.sampling import Policy
from obslib.traces.span import CONTEXT, SPAN_KEY, LightSpan, Scope, parent_of
from obslib.traces.tail import Bounds, Tail
from obslib.traces.traceparent import Parent, read

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["Tracing"]

P = ParamSpec("P")

_NO_IDS = ("", "")


class Tracing:
    """Spans of one component, their sampling and their way out.

    ``constant`` (``node_id`` for one) and ``version`` describe the component on every exported span. ``success_ratio`` of
    the traces without error and shorter than ``slow_s`` seconds are kept. With ``enabled=False`` nothing is recorded;
    ids are made and passed on all the same (TRC-12). Without an ``exporter`` kept spans are only counted. Raises
    ValueError for a ratio outside 0 to 1; afterwards nothing here raises or blocks but ``flush`` and ``close``.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        component: str,
        constant: Mapping[str, str],
        clock: Clock,
        ids: IdSource,
        tally: Tally,
        guard: Guard,
        classifier: Classifier,
        redactor: Redaction | None,
        success_ratio: float,
        slow_s: float,
        enabled: bool,
        exporter: SpanExporter | None,
        version: str = "unknown",
        bounds: Bounds | None = None,
    ) -> None:
        bounds = bounds or Bounds()
        accounts = Accounts(tally)
        queue = ExportQueue(exporter, capacity=bounds.queue, accounts=accounts, guard=guard, mute=self._mute)
        self._tail = Tail(
            policy=Policy(success_ratio=success_ratio, slow_s=slow_s),
            bounds=bounds,
            queue=queue,
            accounts=accounts,
            clock=clock,
            ids=ids,
            is_enabled=enabled,
        )
        self._catalog = catalog
        self._guard = guard
        self._redactor = redactor
        self._classifier = classifier
        self._describe(component, constant, version)

    @property
    def provider(self) -> LightTracerProvider:
        """OpenTelemetry's provider over this component's spans, for instrumentation libraries."""
        return LightTracerProvider(self._scope)

    def component(self, name: str, *, constant: Mapping[str, str] | None = None, version: str = "unknown") -> Tracing:
        """Give another component of this process its own name on spans; policy, memory and exporter are shared."""
        other = object.__new__(Tracing)
        other.__dict__.update(self.__dict__)
        other._describe(name, constant or {}, version)
        return other

    def span(self, kind: SpanKind[P], /) -> BoundSpan[P]:
        """Bind a declared span; raises UnknownSignal when the catalog does not declare it for this component."""
        return BoundSpan(self._scope, self._catalog.require(kind, self._component, kind=SpanKind))

    def current_ids(self) -> tuple[str, str]:
        """Trace id (32 hex digits) and span id (16) of the current span, both empty outside any."""
        span = CONTEXT.get().get(SPAN_KEY)
        if isinstance(span, LightSpan):
            return span.ids
        if span is None:
            return _NO_IDS
        parent = self._foreign(span)
        return _NO_IDS if parent is None else (f"{parent.trace_id:032x}", f"{parent.span_id:016x}")

    def kept_ids(self) -> tuple[str, str]:
        """``current_ids`` when it is certain already that this trace will be kept, else empty: what an exemplar may carry."""
        span = CONTEXT.get().get(SPAN_KEY)
        if isinstance(span, LightSpan) and span.is_recorded and span.trace is not None and span.trace.is_certain:
            return span.ids
        return ("", "")

    def traceparent(self) -> str:
        """The ``traceparent`` that makes work elsewhere a child of the current span; empty outside any."""
        span = CONTEXT.get().get(SPAN_KEY)
        if isinstance(span, LightSpan):
            return span.traceparent
        parent = self._foreign(span)
        return "" if parent is None else f"00-{parent.trace_id:032x}-{parent.span_id:016x}-{parent.flags:02x}"

    def tracestate(self) -> str:
        """The ``tracestate`` that goes with ``traceparent``; often empty."""
        span = CONTEXT.get().get(SPAN_KEY)
        if isinstance(span, LightSpan):
            return span.trace.tracestate if span.trace is not None else ""
        parent = self._foreign(span)
        return "" if parent is None else parent.tracestate

    def inject(self, carrier: MutableMapping[str, str]) -> None:
        """Write ``traceparent`` and, when there is something to say, ``tracestate``; nothing outside a span."""
        try:
            span = CONTEXT.get().get(SPAN_KEY)
            if type(span) is ActiveSpan and span.trace is not None:
                header, state = span.traceparent, span.trace.tracestate
            else:
                header, state = self.traceparent(), self.tracestate()
            if header:
                carrier["traceparent"] = header
                if state:
                    carrier["tracestate"] = state
        except Exception as error:
            self._guard.note("traces", error)

    def extract(self, carrier: Mapping[str, object]) -> Parent | None:
        """Read the caller's span from headers (lower-case names); ``None`` when there is none or it is not valid.

        Never raises, whatever the headers hold.
        """
        try:
            return read(carrier)
        except Exception as error:
            self._guard.note("traces", error)
            return None

    def flush(self, timeout_s: float) -> bool:
        """Wait until every span kept so far is exported or dropped; ``False`` when ``timeout_s`` was not enough."""
        return self._tail.queue.flush(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Decide all open traces, export what is kept within ``timeout_s``, count the rest; later spans are not recorded."""
        self._tail.close()
        self._tail.queue.close(timeout_s)

    def _describe(self, component: str, constant: Mapping[str, str], version: str) -> None:
        self._component = self._catalog.component(component).name
        self._scope = Scope(
            tail=self._tail,
            redactor=self._redactor,
            classifier=self._classifier,
            guard=self._guard,
            resource=tuple({"service.name": component, "service.version": version, **constant}.items()),
        )

    def _mute(self) -> None:
        span = LightSpan(self._scope, "export")
        span.mute()
        attach(set_span_in_context(span))

    def _foreign(self, span: object) -> Parent | None:
        if not isinstance(span, Span):
            return None
        with self._guard.quiet("traces"):
            return parent_of(span)
        return None
