"""Traces as a component sees them: whole records, ids everywhere, and nothing paid that is not used."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from obslib import context
from obslib.errors import UnknownSignal
from obslib.testing.clock import EPOCH

REMOTE = f"00-{0xABC:032x}-{0xDEF:016x}-01"


def test_a_kept_trace_is_exported_whole(world: Any) -> None:
    """Names, ids, times, attributes and resource of every span are what the exporter receives."""
    with world.request(operation="deploy", pending=2) as request:
        world.clock.advance(0.25)
        with world.query(operation="view_read"):
            world.clock.advance(0.5)
        request.set(pending=1)
    start = int(EPOCH * 1e9)
    records = [
        (
            s.name,
            s.context.trace_id,
            s.context.span_id,
            s.parent and s.parent.span_id,
            s.start_time,
            s.end_time,
            dict(s.attributes),
        )
        for s in world.spans()
    ]
    assert records == [
        ("web.query", 1, 2, 1, start + 250_000_000, start + 750_000_000, {"operation": "view_read"}),
        (
            "web.request", 1, 1, None, start, start + 750_000_000,
            {"operation": "deploy", "pending": 1, "sampling_reason": "ratio", "sampling_rate": 1.0},
        ),
    ]  # fmt: skip
    assert [dict(s.resource.attributes) for s in world.spans()] == [
        {"service.name": "web", "service.version": "1.2.3", "node_id": "node_1"}
    ] * 2


def test_a_wall_clock_step_bends_no_duration(world: Any) -> None:
    """Durations come from monotonic time, whatever the wall clock does meanwhile."""
    with world.request():
        world.clock.advance(1)
        world.clock.step(-3600)
    (span,) = world.spans()
    assert span.end_time - span.start_time == 1_000_000_000


def test_ids_of_the_current_span_are_at_hand(world: Any) -> None:
    """Inside a span its ids and headers are known, outside they are empty."""
    tracing = world.tracing
    assert (tracing.current_ids(), tracing.kept_ids(), tracing.traceparent(), tracing.tracestate()) == (
        ("", ""),
        ("", ""),
        "",
        "",
    )
    with world.request():
        ids = (f"{1:032x}", f"{1:016x}")
        assert (tracing.current_ids(), tracing.kept_ids()) == (ids, ids)
        assert tracing.traceparent() == f"00-{1:032x}-{1:016x}-01"
        assert tracing.tracestate() == ""


def test_kept_ids_speak_only_of_traces_that_will_be_kept(strict: Any) -> None:
    """An exemplar may name a trace once something in it has failed, not before."""
    with strict.request():
        assert strict.tracing.kept_ids() == ("", "")
        with strict.query() as query:
            query.fail()
        assert strict.tracing.kept_ids() == strict.tracing.current_ids()


def test_a_foreign_current_span_is_understood(world: Any) -> None:
    """Under another library's span, logs and outgoing calls carry its ids."""
    foreign = NonRecordingSpan(SpanContext(7, 9, True, TraceFlags(1), TraceState([("a", "1")])))
    carrier: dict[str, str] = {}
    with use_span(foreign):
        assert world.tracing.current_ids() == (f"{7:032x}", f"{9:016x}")
        world.tracing.inject(carrier)
    assert carrier == {"traceparent": f"00-{7:032x}-{9:016x}-01", "tracestate": "a=1"}


@pytest.mark.parametrize(("trace_id", "flags", "state"), [(2**56 - 1, "01", "ot=th:8"), (1, "00", "")])
def test_what_goes_out_says_whether_the_ratio_includes_the_trace(build: Any, trace_id: int, flags: str, state: str) -> None:
    """Within the ratio: sampled, with its threshold; outside: not sampled, nothing claimed."""
    world = build(success_ratio=0.5)
    carrier: dict[str, str] = {}
    with world.request.under(f"00-{trace_id:032x}-{5:016x}-00")():
        world.tracing.inject(carrier)
    assert carrier == {"traceparent": f"00-{trace_id:032x}-{1:016x}-{flags}"} | ({"tracestate": state} if state else {})


def test_inject_and_extract_carry_a_trace_between_processes(build: Any) -> None:
    """The child in the other process has our trace id and our span as its parent."""
    here, there = build(), build(component="worker", random_ids=True)
    carrier: dict[str, str] = {}
    with here.request():
        here.tracing.inject(carrier)
    from_opentelemetry: dict[str, str] = {}
    with here.request():
        TraceContextTextMapPropagator().inject(from_opentelemetry)
    for sent in (carrier, from_opentelemetry):
        with there.request.under(there.tracing.extract(sent))():
            pass
    ours, theirs = here.spans(), there.spans()
    assert [(s.context.trace_id, s.parent.span_id, s.parent.is_remote) for s in theirs] == [
        (s.context.trace_id, s.context.span_id, True) for s in ours
    ]


class HostileCarrier(dict[str, Any]):
    """A mapping that cannot be read or written."""

    def get(self, key: str, default: Any = None) -> Any:
        """Fail."""
        raise RuntimeError("no")

    def __setitem__(self, key: str, value: Any) -> None:
        raise RuntimeError("no")


def test_a_hostile_carrier_never_raises(world: Any) -> None:
    """Headers that raise are no parent, and an unwritable carrier is left alone; both are counted."""
    with world.request():
        assert world.tracing.extract(HostileCarrier()) is None
        world.tracing.inject(HostileCarrier())
    assert world.guarded() == {"traces": 2}


@pytest.mark.parametrize("header", ["", "nonsense", None])
def test_a_bad_parent_begins_a_new_trace(world: Any, header: Any) -> None:
    """``under`` a bad header is a new trace, not a child of whatever is current."""
    with world.request() as outer, world.query.under(header)() as inner:
        assert inner.ids[0] != outer.ids[0]
    assert {s.parent for s in world.spans()} == {None}


def test_links_are_exported_and_bound_to_log_lines(world: Any) -> None:
    """Linked spans point at their causes, and log lines inside name at most 8 distinct traces."""
    headers = [REMOTE, "bad", REMOTE, *(f"00-{n:032x}-{5:016x}-01" for n in range(1, 12))]
    with world.query.linked(headers).linked([REMOTE]).under(REMOTE)():
        fields = dict(context.current().fields)
    assert fields == {"linked_trace_ids": [f"{0xABC:032x}", *(f"{n:032x}" for n in range(1, 8))]}
    assert context.current().fields == {}
    (span,) = world.spans()
    assert (len(span.links), span.parent.trace_id, span.links[0].context.span_id) == (14, 0xABC, 0xDEF)


def test_links_may_come_while_the_span_runs(world: Any) -> None:
    """What turns out to be a cause is linked, and bound to the lines that follow."""
    with world.query() as span:
        span.link_to(["bad"])
        assert context.current().fields == {}
        span.link_to([REMOTE])
        assert context.current().fields == {"linked_trace_ids": [f"{0xABC:032x}"]}
    assert context.current().fields == {}
    assert [len(s.links) for s in world.spans()] == [1]


@pytest.mark.parametrize("header", [REMOTE, REMOTE.encode()])
def test_a_lone_header_is_one_link(world: Any, header: Any) -> None:
    """A header given instead of a sequence of headers is taken as the one it is."""
    with world.query.linked(header)():
        pass
    with world.query() as span:
        span.link_to(header)
    assert [len(s.links) for s in world.spans()] == [1, 1]
    assert world.guarded() == {}


def _breaking() -> Iterator[str]:
    yield REMOTE
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("make", "links"),
    [
        (lambda: None, 0),
        (lambda: 5, 0),
        (lambda: itertools.repeat("bad"), 0),
        (lambda: itertools.repeat(REMOTE), 128),
        (_breaking, 1),
    ],
)
def test_what_is_no_sequence_of_headers_neither_raises_nor_hangs(world: Any, make: Callable[[], Any], links: int) -> None:
    """Anything may be given as links: what can be read of it is linked, and the rest is counted."""
    with world.query.linked(make())():
        pass
    with world.query() as span:
        span.link_to(make())
    assert [len(s.links) for s in world.spans()] == [links, links]
    assert world.guarded() == {"traces": 2}


def test_without_good_links_nothing_is_bound(world: Any) -> None:
    """Only bad headers: no link, no field."""
    with world.query.linked(["", "bad"])():
        assert context.current().fields == {}


def test_switched_off_records_nothing_and_passes_ids_on(build: Any, kinds: Any) -> None:
    """``enabled=False``: no span is started, ids are still made, and a caller's context goes on untouched (TRC-12)."""
    off = build(enabled=False)
    with off.request(operation="a") as root:
        root.set(pending=1)
        assert off.tracing.current_ids() == (f"{1:032x}", f"{1:016x}")
        with off.query():
            assert off.tracing.traceparent() == f"00-{1:032x}-{1:016x}-01"
        assert not root.is_recording()
    with off.request.under(REMOTE, "obs=k,a=1").linked([REMOTE])():
        assert (off.tracing.traceparent(), off.tracing.tracestate()) == (REMOTE, "obs=k,a=1")
        assert context.current().fields == {"linked_trace_ids": [f"{0xABC:032x}"]}
    with pytest.raises(kinds.LaunchError), off.request():
        raise kinds.LaunchError("no")
    assert off.spans() == []
    assert off.spans_by_result() == {}
    assert off.decisions() == {("dropped", "disabled"): 3}


def test_a_second_component_shares_memory_and_exporter_under_its_own_name(world: Any, kinds: Any) -> None:
    """Spans of another component in the process join the trace and carry that component's resource."""
    worker = world.tracing.component("worker", constant={"zone": "a"}, version="9")
    with world.request(), worker.span(kinds.JOB)():
        pass
    job, request = world.spans()
    assert dict(job.resource.attributes) == {"service.name": "worker", "service.version": "9", "zone": "a"}
    assert (job.parent.span_id, job.context.trace_id) == (request.context.span_id, request.context.trace_id)
    assert world.decisions() == {("kept", "ratio"): 1}


def test_a_span_of_another_component_is_refused_when_bound(world: Any, kinds: Any) -> None:
    """Binding a declaration that is not for this component raises, with the way out."""
    with pytest.raises(UnknownSignal, match=r"<SpanKind worker\.job> is declared for worker, not for component 'web'"):
        world.tracing.span(kinds.JOB)
    with pytest.raises(UnknownSignal, match="component 'cron' is not in catalog"):
        world.tracing.component("cron")


def test_importing_the_room_and_dropping_spans_never_imports_the_sdk() -> None:
    """``opentelemetry.sdk`` is imported only when a span is first kept with an exporter present."""
    program = """
import sys
import obslib.traces
from obslib.catalog import COMMON, Component, Plane, span_kind
from obslib.classify import Classifier
from obslib.clock import SystemClock
from obslib.guard import Guard
from obslib.ids import SystemIds
from obslib.tally import Tally

@span_kind("a", serves=("TRC-01",))
def A() -> None:
    '''A.'''

class Exporter:
    def export(self, spans):
        from opentelemetry.sdk.trace.export import SpanExportResult
        return SpanExportResult.SUCCESS
    def shutdown(self):
        pass

catalog = COMMON.extend(components=[Component(name="web", plane=Plane.COMMON)], signals=[A])
tally, clock = Tally(), SystemClock()
tracing = obslib.traces.Tracing(
    catalog=catalog, component="web", constant={}, clock=clock, ids=SystemIds(clock), tally=tally, guard=Guard(tally),
    classifier=Classifier(), redactor=None, success_ratio=0.0, slow_s=60.0, enabled=True, exporter=Exporter(),
)
with tracing.span(A)():
    pass
loaded = [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
assert not loaded, loaded
with tracing.span(A)() as span:
    span.fail()
assert tracing.flush(30)
assert "opentelemetry.sdk.trace" in sys.modules
tracing.close(5)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
