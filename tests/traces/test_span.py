"""A span holds what OpenTelemetry's API puts in it, within bounds, and never raises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.context import attach, detach, set_value
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, get_current_span

from obslib.redaction import Redactor
from obslib.tally import Tally


class Hostile:
    """Raises from everything a telemetry library might call."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__

    def __len__(self) -> int:
        raise RuntimeError("no")

    def __bool__(self) -> bool:
        raise RuntimeError("no")


class HostileError(Exception):
    """An exception that cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_exception_marks_the_span_failed_and_propagates(world: Any, kinds: Any) -> None:
    """Status, type, redacted message and error class are on the span; the exception goes on to the caller."""
    with pytest.raises(kinds.LaunchError, match="hunter2"), world.request():
        raise kinds.LaunchError("password is hunter2")
    (span,) = world.spans()
    message = "password is [redacted:typed]"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, message)
    assert span.attributes["error_class"] == "dependency"
    assert [(event.name, dict(event.attributes)) for event in span.events] == [
        ("exception", {"exception.type": f"{kinds.LaunchError.__module__}.LaunchError", "exception.message": message})
    ]


def test_fail_marks_a_span_whose_exception_was_handled(world: Any) -> None:
    """``fail`` records an error that does not leave the block; without one the class is internal."""
    with world.request() as handled:
        handled.fail(TimeoutError("slow disk"))
    with world.request() as bare:
        bare.fail()
    first, second = world.spans()
    assert first.attributes["error_class"] == "timeout"
    assert [event.attributes["exception.type"] for event in first.events] == ["TimeoutError"]
    assert (second.attributes["error_class"], second.events, second.status.status_code) == ("internal", (), StatusCode.ERROR)


def test_an_exception_that_was_already_failed_is_noted_once(world: Any) -> None:
    """``fail(error); raise error`` leaves one event."""
    with pytest.raises(ValueError), world.request() as span:  # noqa: PT012  # both statements are the subject
        error = ValueError("x")
        span.fail(error)
        raise error
    assert [len(span.events) for span in world.spans()] == [1]


async def test_cancellation_is_no_failure(strict: Any) -> None:
    """A cancelled task's span says so, and its trace is not kept as an error."""
    span = strict.request()

    async def work() -> None:
        with span:
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert span.attributes == {"cancelled": True}
    assert strict.decisions() == {("dropped", "ratio"): 1}


def test_undeclared_attributes_are_left_out_and_counted(world: Any) -> None:
    """Only what the declaration names is attached, when the span is made and later."""
    with world.request(operation="a", colour="red") as span:
        span.set(pending=2, shape="round")
    (exported,) = world.spans()
    assert {k: v for k, v in exported.attributes.items() if "sampling" not in k} == {"operation": "a", "pending": 2}
    assert world.guarded() == {"undeclared_field": 2}


@pytest.mark.parametrize(
    "value",
    [Hostile(), [Hostile()], {"a": Hostile()}, {Hostile(): 1}, object(), b"\xff", "\ud800", 10**5000],
    ids=["object", "list", "value", "key", "plain", "bytes", "surrogate", "huge"],
)
def test_hostile_values_never_raise(world: Any, value: Any) -> None:
    """Whatever is attached, by whatever door, the component goes on and the span is exported."""
    with world.request(operation=value) as span:
        span.set(operation=value)
        span.set_attribute("raw", value)
        span.set_attributes({"raw": value})
        span.set_attributes(value)
        span.add_event("raw", {"raw": value})
        span.add_event(value, value)
        span.set_status(StatusCode.ERROR, value)
        span.set_status(value)
        span.add_link(value, {"raw": value})
        span.update_name(value)
        span.record_exception(value)
        span.record_exception(HostileError(), {"raw": value})
    span.end(value)
    assert len(world.spans()) == 1
    assert world.unaccounted() == 0


def test_hostile_exceptions_never_raise(world: Any) -> None:
    """An exception that cannot be printed reaches the caller unchanged, and the span."""
    with pytest.raises(HostileError), world.request():
        raise HostileError
    (span,) = world.spans()
    assert span.events[0].attributes["exception.message"] == ""


def test_what_is_attached_is_bounded(world: Any) -> None:
    """Past 128 attributes, events or links the rest is dropped, and the span says how many."""
    to = SpanContext(1, 2, True, TraceFlags(1))
    with world.request() as span:
        for number in range(130):
            span.set_attribute(f"a{number}", number)
            span.add_event("e")
            span.add_link(to)
    (exported,) = world.spans()
    assert (exported.dropped_attributes, exported.dropped_events, exported.dropped_links) == (2, 2, 2)
    assert (len(exported.events), len(exported.links)) == (128, 128)


def test_an_ended_span_no_longer_changes(world: Any) -> None:
    """After its end a span ignores everything."""
    with world.request() as span:
        pass
    span.set_attribute("a", 1)
    span.set_attributes({"a": 1})
    span.add_event("e")
    span.add_link(SpanContext(1, 2, True, TraceFlags(1)))
    span.update_name("other")
    span.set_status(StatusCode.ERROR)
    span.record_exception(ValueError())
    span.fail()
    (exported,) = world.spans()
    assert (exported.name, exported.events, exported.links, exported.status.status_code) == (
        "web.request", (), (), StatusCode.UNSET,
    )  # fmt: skip


def test_ok_is_final_and_unset_is_ignored(strict: Any) -> None:
    """Status follows OpenTelemetry's rules: an error may be overruled by OK, OK by nothing."""
    with strict.request() as span:
        span.set_status(Status(StatusCode.ERROR, "no"))
        span.set_status(StatusCode.UNSET)
        assert span.has_failed
        span.set_status(StatusCode.OK)
        span.set_status(StatusCode.ERROR)
    assert strict.decisions() == {("dropped", "ratio"): 1}


def test_the_span_is_opentelemetrys_current_one_inside_its_block(world: Any) -> None:
    """Any library sees our span, and after the block what was current before."""
    with world.request() as outer:
        assert get_current_span() is outer
        with world.query() as inner:
            assert get_current_span() is inner
        assert get_current_span() is outer
        token = attach(set_value("baggage", 1))
        assert get_current_span() is outer
        detach(token)
    assert not get_current_span().get_span_context().is_valid


def test_spans_left_in_the_wrong_order_leave_nothing_current(world: Any) -> None:
    """When outer spans are left first, the innermost that runs stays current, and in the end nothing does."""
    a, b, c = world.request(), world.query(), world.query()
    for span in (a, b, c):
        span.__enter__()
    a.__exit__(None, None, None)
    assert get_current_span() is c
    c.__exit__(None, None, None)
    assert get_current_span() is b
    b.__exit__(None, None, None)
    assert not get_current_span().get_span_context().is_valid
    assert len(world.spans()) == 3


def test_a_generator_finalised_in_another_context_costs_only_a_count(world: Any) -> None:
    """A span whose block ends in another context ends quietly."""
    import contextvars

    def work() -> Any:
        with world.request():
            yield

    generator = work()
    contextvars.copy_context().run(next, generator)
    generator.close()
    assert world.names() == ["web.request"]
    assert world.guarded() == {"traces": 1}


def test_entering_a_span_twice_ends_it_once(world: Any) -> None:
    """A span that is entered again is not started again."""
    span = world.request()
    for _ in range(2):
        with span:
            pass
    assert world.names() == ["web.request"]
    assert world.unaccounted() == 0


def test_before_its_block_a_span_has_no_identity(world: Any) -> None:
    """A span that has not begun is invalid for OpenTelemetry and costs nothing."""
    span = world.request(operation="a")
    assert (span.ids, span.traceparent, span.get_span_context().is_valid, span.is_recording()) == (("", ""), "", False, False)
    span.end()
    assert world.spans_by_result() == {}


def test_api_links_carry_their_attributes(world: Any) -> None:
    """Links given through OpenTelemetry's API are exported with context and attributes; invalid ones are left out."""
    to = SpanContext(1, 2, True, TraceFlags(1))
    tracer = world.tracing.provider.get_tracer("lib")
    tracer.start_span("a", links=[Link(to, {"n": 1}), Link(SpanContext(0, 0, True))]).end()
    (span,) = world.spans()
    assert [(link.context, dict(link.attributes or {})) for link in span.links] == [(to, {"n": 1})]


def test_a_secret_as_a_key_is_redacted(build: Any, kinds: Any) -> None:
    """A token that serves as the key of an attribute, of an event or of a link never leaves; two of them stay two."""
    redactor = Redactor(Tally())
    world = build(redactor=redactor)
    token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    hidden = "[redacted:prefixed_token]"
    with world.tracing.provider.get_tracer("lib").start_as_current_span("a", attributes={token: 1}) as span:
        span.set_attribute(f"{token}b", 2)
        span.add_event("e", {token: 1})
        span.add_link(SpanContext(1, 2, True), {token: 1})
    with world.request() as declared:
        declared.set(**{token: 1})
    first, second = world.spans()
    assert {key: first.attributes[key] for key in (hidden, f"{hidden}'")} == {hidden: 1, f"{hidden}'": 2}
    assert (dict(first.events[0].attributes), dict(first.links[0].attributes)) == ({hidden: 1}, {hidden: 1})
    assert token not in f"{first.to_json()} {second.to_json()} {world.guard.last}"
