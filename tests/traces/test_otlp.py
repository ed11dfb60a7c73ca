"""Spans arrive over the wire as they were made, at the receiver that tests use."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from obslib.testing.clock import EPOCH
from obslib.testing.otlp import OtlpReceiver, ReceivedEvent, ReceivedLink, ReceivedSpan


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_span_arrives_whole_over_otlp(build: Any, compression: Compression) -> None:
    """Resource, ids, attributes, links, events and status survive encoding, HTTP and decoding, plain and gzip."""
    with OtlpReceiver() as receiver:
        world = build(exporter=OTLPSpanExporter(endpoint=receiver.endpoint, compression=compression, timeout=5))
        header = f"00-{0xABC:032x}-{0xDEF:016x}-01"
        span = world.request.under(header, "a=1").linked([header])(pending=3)
        span.set_attribute("list", ["a", "b"])
        with pytest.raises(ValueError), span:
            raise ValueError("hunter2")
        assert world.tracing.flush(10)
        assert receiver.spans() == (
            ReceivedSpan(
                resource={"service.name": "web", "service.version": "1.2.3", "node_id": "node_1"},
                library="obslib",
                name="web.request",
                trace_id=f"{0xABC:032x}",
                span_id=f"{1:016x}",
                parent_span_id=f"{0xDEF:016x}",
                tracestate="a=1",
                attributes={
                    "pending": 3, "list": ("a", "b"), "error_class": "invalid_argument", "sampling_reason": "error",
                    "sampling_rate": 1.0,
                },
                links=(ReceivedLink(trace_id=f"{0xABC:032x}", span_id=f"{0xDEF:016x}", attributes={}),),
                events=(
                    ReceivedEvent(
                        name="exception",
                        time_ns=int(EPOCH * 1e9),
                        attributes={"exception.type": "ValueError", "exception.message": "[redacted:typed]"},
                    ),
                ),
                status="error",
                description="[redacted:typed]",
                start_ns=int(EPOCH * 1e9),
                end_ns=int(EPOCH * 1e9),
            ),
        )  # fmt: skip
        assert receiver.spans()[0].service == "web"
        world.tracing.close(5)


def test_a_refusing_collector_costs_only_a_counter(build: Any) -> None:
    """When the collector answers 400, spans count as export failures."""
    with OtlpReceiver(answer=400) as receiver:
        world = build(exporter=OTLPSpanExporter(endpoint=receiver.endpoint, timeout=2))
        world.run()
        assert world.tracing.flush(10)
        world.tracing.close(5)
    assert receiver.spans() == ()
    assert world.drops() == {"export_failed": 2}
    assert world.unaccounted() == 0


def test_waiting_returns_the_spans_or_says_what_is_there(build: Any) -> None:
    """``wait_for`` ends when its condition holds, or raises with the names that arrived."""
    with OtlpReceiver() as receiver:
        world = build(exporter=OTLPSpanExporter(endpoint=receiver.endpoint, timeout=5))
        world.run()
        assert [span.name for span in receiver.wait_for(lambda spans: len(spans) == 2)] == ["web.query", "web.request"]
        with pytest.raises(TimeoutError, match=r"after 0\.01 s the receiver holds 2 spans that do not suffice: \['web\.query'"):
            receiver.wait_for(lambda spans: len(spans) == 3, 0.01)
        world.tracing.close(5)


@pytest.mark.parametrize(("path", "body", "status"), [("/v1/traces", b"\xff\xff", 400), ("/other", b"", 404)])
def test_what_is_no_export_is_refused(path: str, body: bytes, status: int) -> None:
    """Another path or another format gets an HTTP error and leaves no span."""
    with OtlpReceiver() as receiver:
        url = receiver.endpoint.replace("/v1/traces", path)
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5)
        refusal.value.close()
        assert refusal.value.code == status
        assert receiver.spans() == ()
