"""Other people's logging comes out in our shape, and cannot hurt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from obslib.logs import StdlibHandler

Line = Callable[..., dict[str, Any]]


@pytest.fixture
def foreign(rig: Any) -> Iterator[logging.Logger]:
    """A logger of the standard library that writes into the rig."""
    found = logging.Logger("third.party", logging.DEBUG)
    found.addHandler(StdlibHandler(rig.pipeline))
    yield found
    found.handlers.clear()


class _BadText:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class _Logging:
    def __init__(self, foreign: logging.Logger) -> None:
        self.foreign = foreign

    def __str__(self) -> str:
        self.foreign.info("inner %s", self)
        return "shown"


def test_records_take_our_shape(rig: Any, foreign: logging.Logger, expected: Line) -> None:
    """Level, formatted message, logger name and extra fields are all there."""
    foreign.debug("d")
    foreign.info("pool %s of %d", "a", 3, extra={"pool_size": 5, "level": "x"})
    foreign.warning("w")
    foreign.log(25, "between")
    assert rig.lines() == [
        expected("debug", "d", logger="third.party"),
        expected("info", "pool a of 3", logger="third.party", pool_size=5, field_level="x"),
        expected("warn", "w", logger="third.party"),
        expected("info", "between", logger="third.party"),
    ]


def test_exceptions_and_stacks_come_along(rig: Any, foreign: logging.Logger) -> None:
    """exc_info becomes our error fields; stack_info becomes stack."""
    try:
        raise ConnectionError("gone")
    except ConnectionError:
        foreign.exception("m")
    foreign.critical("c", stack_info=True)
    first, second = rig.lines()
    assert (first["level"], first["error_class"], first["exception"]["type"]) == ("error", "unavailable", "ConnectionError")
    assert (second["level"], second["error_class"]) == ("error", "internal")
    assert second["stack"].startswith("Stack (most recent call last)")


@pytest.mark.parametrize("args", [("x",), ("x", "y", "z"), (_BadText(), "y"), (1, "two"), ("\ud800", b"\xff")])
def test_bad_arguments_lose_no_line_and_show_nothing(rig: Any, foreign: logging.Logger, args: tuple[object, ...]) -> None:
    """Arguments that do not fit or cannot be shown leave the template, unformatted."""
    foreign.info("%s password=%d", *args)
    foreign.info(_BadText())
    first, _ = rig.lines()
    assert first["msg"].startswith("%s password=")


def test_secrets_are_redacted_here_too(rig: Any, foreign: logging.Logger) -> None:
    """A third party's message and extra fields pass the redactor."""
    foreign.info("GET https://u:%s@h/", "hunter2", extra={"api_key": "hunter2"})
    assert b"hunter2" not in rig.sink.lines[0]


def test_a_record_that_logs_while_it_is_shown_ends(rig: Any, foreign: logging.Logger) -> None:
    """Recursion through an argument's str is cut and counted."""
    foreign.info("outer %s", _Logging(foreign))
    assert [line["msg"] for line in rig.lines()] == ["inner %s", "inner shown", "inner shown", "outer shown"]
    assert rig.noted() == {"logs": 1}


def test_a_sink_that_logs_through_logging_ends(make_rig: Any) -> None:
    """A sink whose library logs while it takes a line does not recurse."""

    class Chatty:
        def __init__(self) -> None:
            self.taken: list[bytes] = []

        def offer(self, line: bytes) -> bool:
            self.taken.append(line)
            foreign.warning("sink says")
            return True

        def flush(self, timeout_s: float) -> bool:
            return True

        def close(self, timeout_s: float) -> None:
            pass

    sink = Chatty()
    rig = make_rig(sink=sink)
    foreign = logging.Logger("chatty")
    foreign.addHandler(StdlibHandler(rig.pipeline))
    foreign.error("first")
    assert len(sink.taken) == 1
    assert rig.noted() == {"logs": 1, "no_exception": 1}


def test_levels_below_the_pipelines_are_not_written(make_rig: Any) -> None:
    """The handler takes the pipeline's level and holds no lock."""
    rig = make_rig(level="error")
    handler = StdlibHandler(rig.pipeline)
    foreign = logging.Logger("quiet", logging.DEBUG)
    foreign.addHandler(handler)
    foreign.warning("w")
    foreign.error("e")
    assert [line["msg"] for line in rig.lines()] == ["e"]
    assert handler.lock is None


def test_a_handlers_filters_decide(foreign: logging.Logger, rig: Any) -> None:
    """What a filter of the handler holds back is not written, on every interpreter."""
    foreign.handlers[0].addFilter(lambda record: record.msg != "noise")
    foreign.info("noise")
    foreign.info("signal")
    assert [line["msg"] for line in rig.lines()] == ["signal"]
