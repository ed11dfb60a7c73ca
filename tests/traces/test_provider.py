"""Instrumentation libraries find OpenTelemetry's API and nothing unexpected."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode, get_current_span, set_span_in_context, use_span

from obslib.traces import Tracing


@pytest.fixture
def tracer(world: Any) -> Any:
    """A tracer as an instrumentation library gets it."""
    return world.tracing.provider.get_tracer("lib.http", "2.0", "https://schema")


def test_a_library_span_joins_our_trace(world: Any, tracer: Any) -> None:
    """A library's span under ours is its child, names the library, and is kept with it."""
    with world.request(), tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes={"n": 1}), world.query():
        pass
    query, get, request = world.spans()
    assert [span.parent and span.parent.span_id for span in (query, get, request)] == [
        get.context.span_id,
        request.context.span_id,
        None,
    ]
    assert len({span.context.trace_id for span in (query, get, request)}) == 1
    scope = get.instrumentation_scope
    assert (scope.name, scope.version, scope.schema_url, get.kind, dict(get.attributes)) == (
        "lib.http", "2.0", "https://schema", SpanKind.CLIENT, {"n": 1},
    )  # fmt: skip
    assert request.instrumentation_scope.name == "obslib"


def test_an_exception_in_a_library_span_is_redacted_and_classified(world: Any, tracer: Any, kinds: Any) -> None:
    """``start_as_current_span`` records and marks; our redaction and error class apply."""
    with pytest.raises(kinds.LaunchError), tracer.start_as_current_span("GET"):
        raise kinds.LaunchError("hunter2")
    (span,) = world.spans()
    assert span.status.description == "LaunchError: [redacted:typed]"
    assert span.attributes["error_class"] == "dependency"
    assert [event.attributes["exception.message"] for event in span.events] == ["[redacted:typed]"]


def test_a_plain_with_block_ends_and_marks_the_span(world: Any, tracer: Any) -> None:
    """``with tracer.start_span()`` does not make the span current; its switches for exceptions are honoured."""
    with tracer.start_span("z"):
        assert get_current_span() is INVALID_SPAN
    with pytest.raises(ValueError), tracer.start_span("a"):
        raise ValueError("x")
    with pytest.raises(ValueError), tracer.start_span("b", record_exception=False, set_status_on_exception=False):
        raise ValueError("x")
    _, a, b = world.spans()
    assert (a.status.status_code, len(a.events)) == (StatusCode.ERROR, 1)
    assert (b.status.status_code, len(b.events)) == (StatusCode.UNSET, 0)


def test_times_given_by_the_caller_are_exported_exactly(world: Any, tracer: Any) -> None:
    """Explicit start and end, in Unix nanoseconds, are what the exporter sees."""
    span = tracer.start_span("past", start_time=1_000_000_000_000_000_001)
    span.add_event("e", timestamp=1_000_000_000_000_000_002)
    span.end(1_000_000_000_000_000_003)
    (exported,) = world.spans()
    assert (exported.start_time, exported.events[0].timestamp, exported.end_time) == (
        1_000_000_000_000_000_001, 1_000_000_000_000_000_002, 1_000_000_000_000_000_003,
    )  # fmt: skip


def test_a_root_that_was_slow_by_its_own_account_is_kept(strict: Any) -> None:
    """The decision uses explicit times too."""
    now = int(strict.clock.now() * 1e9)
    strict.tracing.provider.get_tracer("lib").start_span("slow", start_time=now - 9_000_000_000).end(now - 7_000_000_000)
    strict.tracing.provider.get_tracer("lib").start_span("fast", start_time=now - 9_000_000_000).end(now - 8_900_000_000)
    assert strict.names() == ["slow"]


@pytest.mark.parametrize("time", ["x", 1.5, object()])
def test_a_senseless_time_counts_as_none(world: Any, tracer: Any, time: Any) -> None:
    """A start or end that is no integer is left aside; the span is not lost."""
    tracer.start_span("a", start_time=time, attributes=time, links=time).end(time)
    assert world.names() == ["a"]


def test_a_parent_from_another_library_is_a_remote_parent(world: Any, tracer: Any) -> None:
    """A span of the SDK, or a non-recording one, can be the parent: same trace, and a local root of ours."""
    theirs = TracerProvider(shutdown_on_exit=False).get_tracer("sdk").start_span("sdk")
    tracer.start_span("ours", context=set_span_in_context(theirs, Context())).end()
    tracer.start_span("alone", context=Context()).end()
    ours, alone = world.spans()
    assert (ours.context.trace_id, ours.parent.span_id) == (
        theirs.get_span_context().trace_id,
        theirs.get_span_context().span_id,
    )
    assert "sampling_reason" in ours.attributes
    assert alone.parent is None


def test_two_observabilities_do_not_mix_their_memory(build: Any) -> None:
    """A span under a span of another process-wide tracing is a remote child there."""
    one, two = build(), build(random_ids=True)
    with one.request(), two.query():
        pass
    assert (one.names(), two.names()) == (["web.request"], ["web.query"])
    assert two.spans()[0].context.trace_id == one.spans()[0].context.trace_id
    assert one.unaccounted() == two.unaccounted() == 0


async def test_the_decorator_covers_coroutines(world: Any, tracer: Any) -> None:
    """``@tracer.start_as_current_span`` on an async function spans its whole run."""

    @tracer.start_as_current_span("job")  # type: ignore[untyped-decorator]
    async def job() -> bool:
        return get_current_span().is_recording()

    assert await job()
    assert await job()
    assert world.names() == ["job", "job"]


def test_use_span_works_on_our_spans(world: Any, tracer: Any) -> None:
    """OpenTelemetry's own ``use_span`` makes a light span current and ends it."""
    with use_span(tracer.start_span("a"), end_on_exit=True) as span:
        assert world.tracing.current_ids() == span.ids
    assert world.names() == ["a"]


def test_a_broken_id_source_costs_the_span_and_nothing_else(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a span cannot be made, the caller gets an invalid one and a count."""

    def broken(self: Any, parent: Any) -> Any:
        raise OSError("no entropy")

    monkeypatch.setattr("obslib.traces.tail.Tail.new_trace", broken)
    assert isinstance(world.tracing, Tracing)
    with world.request(operation="a") as span:
        span.set(operation="b")
        span.fail()
    with world.tracing.provider.get_tracer("lib").start_as_current_span("a"):
        pass
    assert world.guarded()["traces"] >= 2
    assert world.unaccounted() == 0
