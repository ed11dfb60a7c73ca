"""A small OTLP/HTTP receiver: what a test needs to see spans as they arrive over the wire.

A room of its own because it is a real server: spans are encoded, sent, decoded and only then compared. It needs the ``otlp``
extra (``opentelemetry-proto``), and only when a receiver is made.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["OtlpReceiver", "ReceivedEvent", "ReceivedLink", "ReceivedSpan"]

_PATH = "/v1/traces"
_STATUS = ("unset", "ok", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLink:
    """A link to another span; ids in hexadecimal."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """Something noted during a span, at ``time_ns`` (Unix nanoseconds)."""

    name: str
    time_ns: int
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """One span as it came over the wire; ids in hexadecimal, ``parent_span_id`` empty on a root.

    ``status`` is ``unset``, ``ok`` or ``error``; times are Unix nanoseconds; ``library`` is the instrumentation scope.
    """

    resource: Mapping[str, object]
    library: str
    name: str
    trace_id: str
    span_id: str
    parent_span_id: str
    tracestate: str
    attributes: Mapping[str, object]
    links: tuple[ReceivedLink, ...]
    events: tuple[ReceivedEvent, ...]
    status: str
    description: str
    start_ns: int
    end_ns: int

    @property
    def service(self) -> str:
        """The component that made the span."""
        return str(self.resource.get("service.name", ""))


class OtlpReceiver:
    """An OTLP/HTTP traces endpoint on a free loopback port, for the length of a ``with`` block.

    It takes protobuf, plain or gzip. ``answer`` is the HTTP status of its replies, to play a failing collector; spans of
    refused requests are not kept.
    """

    def __init__(self, *, answer: int = 200) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        self.answer = answer
        self._request = ExportTraceServiceRequest
        self._spans: list[ReceivedSpan] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="otlp-receiver", daemon=True)

    @property
    def endpoint(self) -> str:
        """The URL to give an exporter, path included."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{_PATH}"

    def spans(self) -> tuple[ReceivedSpan, ...]:
        """Everything received so far, in the order of arrival."""
        with self._arrived:
            return tuple(self._spans)

    def wait_for(
        self, predicate: Callable[[Sequence[ReceivedSpan]], object], timeout_s: float = 5.0
    ) -> tuple[ReceivedSpan, ...]:
        """Wait until ``predicate`` holds for the spans received, and return them; raises TimeoutError otherwise."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: predicate(tuple(self._spans)), timeout_s):
                names = [span.name for span in self._spans]
                raise TimeoutError(
                    f"after {timeout_s!r} s the receiver holds {len(names)} spans that do not suffice: {names!r}"
                )
            return tuple(self._spans)

    def receive(self, body: bytes) -> None:
        """Decode one request; raises protobuf's DecodeError when it is not one."""
        spans = _decoded(self._request.FromString(body))
        with self._arrived:
            self._spans.extend(spans)
            self._arrived.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(receiver: OtlpReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = 404 if self.path != _PATH else receiver.answer
            if status == 200:
                try:
                    receiver.receive(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                except Exception:
                    status = 400
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; a test reads the spans."""

    return Handler


def _decoded(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            resource=_attributes(group.resource.attributes),
            library=scoped.scope.name,
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_span_id=span.parent_span_id.hex(),
            tracestate=span.trace_state,
            attributes=_attributes(span.attributes),
            links=tuple(
                ReceivedLink(trace_id=link.trace_id.hex(), span_id=link.span_id.hex(), attributes=_attributes(link.attributes))
                for link in span.links
            ),
            events=tuple(
                ReceivedEvent(name=event.name, time_ns=event.time_unix_nano, attributes=_attributes(event.attributes))
                for event in span.events
            ),
            status=_STATUS[span.status.code],
            description=span.status.message,
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
        )
        for group in request.resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    ]


def _attributes(pairs: Any) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> object:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        return tuple(_value(item) for item in found.values)
    return _attributes(found.values) if kind == "kvlist_value" else found
