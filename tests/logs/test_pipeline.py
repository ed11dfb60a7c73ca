"""Whatever is logged, a line of strict JSON without secrets comes out, and nothing is raised."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obslib import context
from obslib.errors import UnknownSignal
from obslib.redaction import Redactor, Secret, suspicion, walk

SECRET = "s3cr3t-Val-9f8e7d6c5b4a"
Line = Callable[..., dict[str, Any]]


class _Sink:
    """A sink of somebody else's."""

    def __init__(self, offer: Callable[[bytes], bool]) -> None:
        self.offer = offer

    def flush(self, timeout_s: float) -> bool:
        return True

    def close(self, timeout_s: float) -> None:
        pass


class _Logging:
    """Logs while it is being shown."""

    def __init__(self, log: Any) -> None:
        self.log = log

    def __repr__(self) -> str:
        self.log.info("inner", value=self)
        return "shown"


class _Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


def _plant(rig: Any) -> bytes:
    """Log one secret by every route and give back all that was written."""
    log = rig.log
    log.info(f"login with password={SECRET}")
    log.info("m", password=SECRET)
    log.info("m", note=f"Authorization: Bearer {SECRET}")
    log.info("m", nested=[{"a": {"clientSecret": SECRET}}], typed=Secret(SECRET))
    log.info("password=%s", SECRET)
    log.bind(note=f"postgres://u:{SECRET}@h/d").info("m")
    with context.bound(api_key=SECRET):
        log.info("m")
    with context.scope(f"token={SECRET}"):
        log.info("m")
    log.info("m", **{f"password={SECRET}": 1})
    try:
        raise ValueError(f"password={SECRET}") from KeyError(f"secret={SECRET}")
    except ValueError:
        log.exception("m")
    return b"\n".join(rig.sink.lines)


def test_a_secret_planted_by_every_route_comes_out_by_none(rig: Any) -> None:
    """Messages, fields, names, bindings, contexts, request ids and exceptions are all redacted."""
    assert SECRET.encode() not in _plant(rig)
    assert len(rig.lines()) == 10


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (Redactor, "text", lambda self, text: text),
        (suspicion, "is_clean", lambda text: True),
        (walk, "is_secret_name", lambda name: False),
    ],
)
def test_a_mutant_without_redaction_is_caught(
    make_rig: Any, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, broken: object
) -> None:
    """The check above fails on a pipeline whose redactor is disabled in any part."""
    monkeypatch.setattr(owner, name, broken)
    assert SECRET.encode() in _plant(make_rig())


def test_a_secret_registered_late_is_hidden_at_once(rig: Any) -> None:
    """What was proven clean, rendered or bound before a registration is looked at again."""
    log = rig.log.bind(bound="hunter2x")

    def write() -> None:
        log.info("say hunter2x", value="hunter2x")

    write()
    assert rig.sink.lines[0].count(b"hunter2x") == 3
    rig.redactor.register("hunter2x")
    write()
    assert rig.sink.lines[1].count(b"hunter2x") == 0


def test_redactions_are_counted_once_per_line(rig: Any) -> None:
    """A value that is replaced on the short way is not counted again on the long one."""
    rig.log.info("m", note="password=hunter2", n=2**70)
    rig.log.info("m", note="password=hunter2")
    assert rig.noted() == {"redacted assignment": 2}


@pytest.mark.parametrize(
    "msg", [None, 5, b"bytes", "\ud800", _Hostile(), ["a", {"password": "x"}], "x" * 100_000, "", "\x00\x1b[31m\u2028\n"]
)
def test_any_message_makes_a_line(rig: Any, msg: object) -> None:
    """A message of any type and content is written, bounded."""
    rig.log.info(msg)
    rig.log.error(msg)
    for line in rig.lines():
        assert isinstance(line["msg"], str)
        assert len(line["msg"]) <= 16_385


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(_Hostile),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    msg=st.text() | anything,
    bound=st.dictionaries(st.text(max_size=8), anything, max_size=3),
    ambient=st.dictionaries(st.sampled_from(["env_id", "level", "a", "é", "\ud800", "password"]), anything, max_size=3),
    fields=st.dictionaries(st.text(max_size=8) | st.sampled_from(["msg", "exc_info", "error", "a"]), anything, max_size=4),
    verb=st.sampled_from(["debug", "info", "warning", "error", "exception"]),
)
def test_whatever_is_logged_one_strict_line_comes_out(
    make_rig: Any, msg: object, bound: dict[str, Any], ambient: dict[str, Any], fields: dict[str, Any], verb: str
) -> None:
    """Any message, fields, bindings and context give one line of strict JSON, and no error reaches the caller."""
    rig = make_rig()
    with context.bound(**ambient):
        getattr(rig.log.bind(**bound), verb)(msg, **fields)
    assert rig.line()["level"] == {"warning": "warn", "exception": "error"}.get(verb, verb)
    assert "logs" not in rig.noted()


def test_a_repr_that_logs_ends(rig: Any) -> None:
    """Logging from inside a value's repr writes a bounded number of lines, each whole."""
    rig.log.info("outer", value=_Logging(rig.log))
    assert [line["msg"] for line in rig.lines()] == ["inner", "inner", "outer"]
    assert rig.noted() == {"logs": 1}


def test_a_sink_that_logs_or_fails_does_no_harm(make_rig: Any) -> None:
    """A foreign sink that logs while it takes a line gets one line; one that raises costs that line."""
    taken: list[bytes] = []

    def offer(line: bytes) -> bool:
        taken.append(line)
        rig.log.info("from the sink")
        return True

    rig = make_rig(sink=_Sink(offer))
    rig.log.info("a")
    rig.log.info("b")
    assert [b'"msg":"a"' in taken[0], b'"msg":"b"' in taken[1]] == [True, True]
    assert len(taken) == 2
    assert rig.noted() == {"logs": 2}

    broken = make_rig(sink=_Sink(lambda line: [][0]))
    broken.log.info("lost")
    broken.log.error("lost")
    assert broken.noted() == {"logs": 2, "no_exception": 1}


def test_exit_and_interrupt_pass_through(make_rig: Any) -> None:
    """What ends the process is not swallowed."""
    rig = make_rig(sink=_Sink(lambda line: sys.exit(3)))
    with pytest.raises(SystemExit):
        rig.log.info("m")


def test_threads_write_whole_lines(rig: Any) -> None:
    """Eight threads with their own contexts never mix their fields."""

    def work(name: int) -> None:
        with context.scope(f"req-{name}", name=name):
            for number in range(200):
                rig.log.info(f"m{number % 7}", n=number, twin=name)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = rig.lines()
    assert len(lines) == 1_600
    assert all(line["name"] == line["twin"] and line["request_id"] == f"req-{line['name']}" for line in lines)


def test_a_component_the_catalog_does_not_have_is_refused(make_rig: Any) -> None:
    """Wiring a pipeline for an unknown component raises and names the known ones."""
    with pytest.raises(UnknownSignal, match="component 'nobody' is not in catalog 'platform'"):
        make_rig(component="nobody")


def test_a_message_is_judged_once(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that needed a closer look and nothing else is not looked at again, at any level."""
    msg, value = "listening on 127.0.0.1:8080", "http://127.0.0.1:8080/"
    rig.log.info(msg, address=value)
    looked: list[str] = []
    monkeypatch.setattr(suspicion, "is_clean", lambda text: looked.append(text) or True)
    rig.log.info(msg, address=value)
    rig.log.warn(msg, address=value)
    assert looked == []
    assert len({(line["msg"], line["address"]) for line in rig.lines()}) == 1
