"""The W3C headers are read from anybody, and nothing hostile is passed on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.trace import TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from obslib.traces import Parent, parse, traceparent
from obslib.traces.traceparent import State, read

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
PARENT = Parent(int(TRACE, 16), int(SPAN, 16), 1)


@pytest.mark.parametrize("header", [GOOD, GOOD.encode(), f" {GOOD}\t", f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-more"])
def test_a_valid_traceparent_names_the_parent(header: str | bytes) -> None:
    """A header of version 00, or of a later one with more fields, is understood as text and as bytes."""
    assert parse(header) == PARENT


@pytest.mark.parametrize(
    "header",
    [
        "", None, b"", "00", GOOD.upper(), f"ff-{TRACE}-{SPAN}-01", f"{GOOD}-more", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"{GOOD}\n", f"00-{TRACE}-{SPAN}-0g", GOOD.replace("4", "٤"),
        f"cc-{TRACE}-{SPAN}-01-" + "x" * 600,
        f"00-+{TRACE[1:]}-{SPAN}-01", f"00-{TRACE[:16]}_{TRACE[17:]}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01x", b"\xff\xfe",
    ],
)  # fmt: skip
def test_an_invalid_traceparent_counts_as_not_sent(header: str | bytes | None) -> None:
    """A header that breaks the grammar, or names nothing, is no parent."""
    assert parse(header) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a=1,b=2", "a=1,b=2"),
        (" a=1 ,\t,b=2", "a=1,b=2"),
        ("t@v=1", "t@v=1"),
        ("a=1,a=2", ""),
        ("a=1,B=2", ""),
        ("a=1\r\nset-cookie: x", ""),
        ("a=", ""),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        (f"a={'x' * 257}", ""),
        ("a=é", ""),
        ("x" * 10_000, ""),
    ],
)
def test_a_bad_tracestate_is_dropped_whole_and_the_parent_stands(sent: str, kept: str) -> None:
    """Either every member is valid, or none is passed on."""
    assert parse(GOOD, sent) == PARENT._replace(tracestate=kept)


def test_headers_may_be_text_bytes_or_lists() -> None:
    """Whatever a server hands over is read; two traceparents contradict each other, two tracestates are one."""
    assert read({"traceparent": GOOD, "tracestate": b"a=1"}) == PARENT._replace(tracestate="a=1")
    assert read({"traceparent": [GOOD], "tracestate": ["a=1", b"b=2"]}) == PARENT._replace(tracestate="a=1,b=2")
    assert read({"traceparent": [GOOD, GOOD]}) is None
    assert read({"traceparent": 7}) is None
    assert read({"traceparent": GOOD, "tracestate": 7}) == PARENT
    assert read({}) is None


def test_our_members_are_read_and_written_first() -> None:
    """The keep flag and OpenTelemetry's randomness are understood; foreign members and parts are passed on."""
    state = State.of("foo=1,ot=th:8;rv:00000000000abc;zz:1,obs=k,bar=2")
    assert state == State(keep_flag=True, randomness=0xABC, ot=("rv:00000000000abc", "zz:1"), others=("foo=1", "bar=2"))
    assert state.header("c") == "obs=k,ot=th:c;rv:00000000000abc;zz:1,foo=1,bar=2"
    assert State.of("foo=1").header("") == "foo=1"
    assert State.of("").header("c") == "ot=th:c"


def test_what_we_accept_opentelemetry_accepts_with_the_same_meaning() -> None:
    """Our reading of valid headers is the reading of OpenTelemetry's own propagator."""
    from opentelemetry.trace import get_current_span

    carrier = {"traceparent": GOOD, "tracestate": "foo=1,bar=2"}
    theirs = get_current_span(TraceContextTextMapPropagator().extract(carrier)).get_span_context()
    ours = read(carrier)
    assert ours == (theirs.trace_id, theirs.span_id, int(theirs.trace_flags), theirs.trace_state.to_header())


hostile = st.one_of(
    st.text(max_size=80), st.binary(max_size=80), st.none(), st.integers(), st.lists(st.binary(max_size=20), max_size=3),
    st.from_regex(r"[0-9a-f]{2}-[0-9a-fA-F]{31,33}-[0-9a-f]{15,17}-[0-9a-z]{2}.{0,3}", fullmatch=True),
    st.from_regex(r"[a-z@*/_-]{0,4}=[ -~]{0,9}(,[a-z]{0,3}=?[^,]{0,5}){0,4}", fullmatch=True),
)  # fmt: skip
SAFE = re.compile(r"[\x20-\x7e]*")


def check_nothing_hostile_passes(traceparent_sent: Any, tracestate_sent: Any) -> None:
    """Fail when what was read is not valid, or not safe to send on."""
    found = read({"traceparent": traceparent_sent, "tracestate": tracestate_sent})
    if found is not None:
        assert 0 < found.trace_id < 2**128
        assert 0 < found.span_id < 2**64
        assert SAFE.fullmatch(found.tracestate)
        assert TraceState.from_header([found.tracestate]).to_header() == found.tracestate
        outgoing = State.of(found.tracestate).header("8")
        assert SAFE.fullmatch(outgoing)
        assert len(outgoing.split(",")) <= 32


@given(hostile, hostile)
@settings(max_examples=300, deadline=None)
def test_hostile_headers_never_raise_and_never_pass(traceparent_sent: Any, tracestate_sent: Any) -> None:
    """Any bytes in either header give a valid parent or none, and only valid text goes on (R23)."""
    check_nothing_hostile_passes(traceparent_sent, tracestate_sent)
    check_nothing_hostile_passes(GOOD, tracestate_sent)


def test_mutant_that_passes_tracestate_unread_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above fails when ``tracestate`` is forwarded as it came."""
    monkeypatch.setattr(traceparent, "_valid_state", lambda header: header)
    with pytest.raises(AssertionError):
        check_nothing_hostile_passes(GOOD, "a=1\r\nset-cookie: x")
