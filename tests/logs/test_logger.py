"""The logger has structlog's verbs, and what is bound shows on every line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib import context
from obslib.catalog import common
from obslib.catalog.platform import data_plane

ENV = "env_01J00000000000000000000001"
INSTANCE = "inst_01J00000000000000000000002"
Line = Callable[..., dict[str, Any]]


def test_each_verb_writes_its_level(rig: Any, expected: Line) -> None:
    """debug, info, warn and warning write one line each, with the call's fields."""
    rig.log.debug("d", n=1)
    rig.log.info("i", f=0.5, s="text", none=None, yes=True)
    rig.log.warn("w")
    rig.log.warning("w2")
    assert rig.lines() == [
        expected("debug", "d", n=1), expected("info", "i", f=0.5, s="text", none=None, yes=True),
        expected("warn", "w"), expected("warn", "w2"),
    ]  # fmt: skip


def test_the_order_of_fields_is_fixed(rig: Any) -> None:
    """Mandatory fields first, then constant, ambient, bound and call fields."""
    rig.trace = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    with context.scope("req_1", loop="x"):
        rig.log.bind(bound=1).info("i", call=2)
    assert rig.sink.lines == [
        b'{"timestamp":"2025-12-17T19:33:20.000000Z","level":"info","component":"agent","msg":"i","request_id":"req_1",'
        b'"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","node_id":"node_01J00000000000000000000000",'
        b'"loop":"x","bound":1,"call":2}'
    ]


def test_levels_below_the_threshold_are_silent(make_rig: Any) -> None:
    """A level that is not written costs an empty call and evaluates nothing; bound loggers inherit that."""
    rig = make_rig(level="warn")
    log = rig.log.bind(a=1).new(b=2)
    log.debug("d")
    log.info("i", x=object())
    log.event(data_plane.INSTANCE_READY, boot_seconds=1.0)
    log.warn("w")
    assert [line["msg"] for line in rig.lines()] == ["w"]
    with pytest.raises(ValueError, match="log level 'loud' is unknown; use one of debug, info, warn, error"):
        make_rig(level="loud")


def test_binding_makes_a_new_logger(rig: Any, expected: Line) -> None:
    """Bind adds, new starts afresh, unbind takes away, and none of them changes the logger it is called on."""
    bound = rig.log.bind(a=1, b=2)
    bound.bind(b=3, c=4).info("1")
    bound.new(d=5).info("2")
    bound.unbind("a", "never bound").info("3")
    bound.try_unbind("a", "b").info("4")
    bound.info("5", a="call wins")
    rig.log.info("6")
    assert rig.lines() == [
        expected("info", "1", a=1, b=3, c=4), expected("info", "2", d=5), expected("info", "3", b=2), expected("info", "4"),
        expected("info", "5", a="call wins", b=2), expected("info", "6"),
    ]  # fmt: skip


def test_the_ambient_context_shows_and_goes(rig: Any, expected: Line) -> None:
    """Ambient fields stand on lines inside their block only; inner, bound and call fields win."""
    log = rig.log.bind(c="bound")
    with context.scope("req_7", env_id=ENV):
        log.info("1")
        with context.bound(env_id=None, a=1, c="ambient"):
            log.info("2")
            log.info("3", a=2)
        log.info("4")
    log.info("5")
    assert rig.lines() == [
        expected("info", "1", request_id="req_7", env_id=ENV, c="bound"),
        expected("info", "2", request_id="req_7", env_id=None, a=1, c="bound"),
        expected("info", "3", request_id="req_7", env_id=None, a=2, c="bound"),
        expected("info", "4", request_id="req_7", env_id=ENV, c="bound"),
        expected("info", "5", c="bound"),
    ]


def test_many_contexts_at_once_keep_their_own_fields(rig: Any) -> None:
    """More ambient contexts than are kept rendered never mix up."""
    ambients = []
    for number in range(600):
        with context.bound(n=number):
            ambients.append(context.carried(lambda: rig.log.info("line")))
    for say in ambients + ambients[::-1]:
        say()
    assert [line["n"] for line in rig.lines()] == [*range(600), *reversed(range(600))]


@pytest.mark.parametrize(
    ("given", "shown", "noted"),
    [
        ("anything-opaque 1", "anything-opaque 1", {}),
        ("x" * 500, "x" * 128, {}),
        ("a\nb", "_invalid", {"invalid_id": 1}),
        (5, "_invalid", {"invalid_id": 1}),
        ("password=hunter2", "password=[redacted:assignment]", {"redacted assignment": 1}),
    ],
)
def test_a_clients_request_id_is_opaque_and_capped(rig: Any, given: Any, shown: str, noted: dict[str, int]) -> None:
    """A printable request id is shown, at most 128 characters of it; anything else is _invalid."""
    with context.scope(given):
        rig.log.info("i")
        rig.log.info("i")
    assert [line["request_id"] for line in rig.lines()] == [shown, shown]
    assert rig.noted() == noted


def test_positional_arguments_fill_the_message(rig: Any) -> None:
    """``%s`` is filled as logging does it; arguments that do not fit are not shown, and counted."""
    rig.log.info("a %s of %d", "b", 3)
    rig.log.info("%(name)s", {"name": "n"})
    rig.log.info("password %s", "hunter2", "extra")
    assert [line["msg"] for line in rig.lines()] == ["a b of 3", "n", "password %s"]
    assert rig.noted() == {"logs": 1}


def test_a_declared_event_has_its_name_its_message_and_its_fields(rig: Any, expected: Line) -> None:
    """An event writes its help as msg; an undeclared field is dropped and counted; ambient fields stay."""
    event = data_plane.INSTANCE_READY
    with context.bound(instance_id=INSTANCE):
        rig.log.event(event, boot_seconds=0.5)
        rig.log.event(event, boot_seconds=0.5, surprise="x")
    line = expected("info", event.help, event=event.name, instance_id=INSTANCE, boot_seconds=0.5)
    assert rig.lines() == [line, line]
    assert rig.noted() == {"undeclared_field": 1}


def test_an_event_of_another_component_is_written_and_counted(make_rig: Any) -> None:
    """Once serving, a foreign event does not raise: it is written, and counted once."""
    rig = make_rig(component="scheduler")
    rig.log.event(data_plane.INSTANCE_READY, boot_seconds=0.5)
    rig.log.event(data_plane.INSTANCE_READY, boot_seconds=0.5)
    assert [line["event"] for line in rig.lines()] == [data_plane.INSTANCE_READY.name] * 2
    assert rig.noted() == {"undeclared_field": 1}


def test_a_declared_failure_carries_its_error(rig: Any) -> None:
    """failure() adds class, message, retryable and the exception to the event's own fields."""
    rig.log.failure(common.OPERATION_FAILED, TimeoutError("too slow"), operation="lock", duration_seconds=2.0)
    line = rig.line()
    assert line.pop("exception") == {"type": "TimeoutError", "message": "too slow", "frames": []}
    assert {name: line[name] for name in ("level", "event", "operation", "error_class", "error_message", "retryable")} == {
        "level": "error", "event": "operation.failed", "operation": "lock", "error_class": "timeout",
        "error_message": "too slow", "retryable": True,
    }  # fmt: skip
