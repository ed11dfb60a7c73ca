"""The tail decision keeps what the policy says, within its bounds, and accounts for every span."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.trace import StatusCode, set_span_in_context

from obslib.traces import Bounds, Policy
from obslib.traces.tail import Tail


def check_error_traces_are_kept(build: Any, error: Exception) -> None:
    """Fail unless exactly the traces with an error are exported."""
    world = build(success_ratio=0.0)
    for n in range(40):
        world.run(error if n % 4 == 0 else None)
    assert len(world.spans()) == 20
    assert world.decisions() == {("kept", "error"): 10, ("dropped", "ratio"): 30}


def test_every_error_trace_is_kept_whole(build: Any, kinds: Any) -> None:
    """With a success ratio of 0, all traces in which something failed are exported, and no other."""
    check_error_traces_are_kept(build, kinds.LaunchError("no"))


def test_mutant_that_ignores_errors_is_caught(build: Any, kinds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above fails when the decision does not look at errors."""
    genuine = Policy.reason
    monkeypatch.setattr(Policy, "reason", lambda self, _, *rest: genuine(self, False, *rest))
    with pytest.raises(AssertionError):
        check_error_traces_are_kept(build, kinds.LaunchError("no"))


def test_a_slow_trace_is_kept(strict: Any) -> None:
    """A local trace of at least ``slow_s`` is kept, its quick spans included."""
    strict.run(seconds=0.99)
    strict.run(seconds=1.0)
    assert strict.names() == ["web.query", "web.request"]
    assert strict.decisions() == {("kept", "slow"): 1, ("dropped", "ratio"): 1}


def test_the_keep_flag_keeps_and_travels(strict: Any) -> None:
    """A trace that arrives with ``obs=k`` is kept, told to others as sampled, and stays flagged."""
    parent = strict.tracing.extract({"traceparent": f"00-{7:032x}-{9:016x}-00", "tracestate": "x=1,obs=k"})
    with strict.request.under(parent)():
        assert strict.tracing.traceparent() == f"00-{7:032x}-{1:016x}-01"
        assert strict.tracing.tracestate() == "obs=k,x=1"
    assert strict.decisions() == {("kept", "keep_flag"): 1}
    assert strict.names() == ["web.request"]


def test_the_root_says_why_and_at_what_rate_it_was_kept(build: Any, kinds: Any) -> None:
    """Reason and rate are on the local root and nowhere else."""
    world = build(success_ratio=0.5)
    world.run(kinds.LaunchError("no"))
    with world.request.under(f"00-{0xFFFFFFFFFFFFFF:032x}-{9:016x}-00")():
        pass
    told = [{k: v for k, v in s.attributes.items() if k.startswith("sampling")} for s in world.spans()]
    assert told == [
        {},
        {"sampling_reason": "error", "sampling_rate": 1.0},
        {"sampling_reason": "ratio", "sampling_rate": 0.5},
    ]


def test_an_undecided_trace_waits_for_its_children(strict: Any, kinds: Any) -> None:
    """When the root ends first, a child that fails later still saves the whole trace."""
    with strict.request():
        child = strict.query()
        child.__enter__()
    assert strict.decisions() == {}
    child.fail(kinds.LaunchError("late"))
    child.__exit__(None, None, None)
    assert sorted(strict.names()) == ["web.query", "web.request"]
    assert strict.decisions() == {("kept", "error"): 1}


def test_late_spans_follow_their_trace(build: Any, kinds: Any) -> None:
    """A span that starts after the decision goes where its trace went; an error is kept in any case."""
    world = build(success_ratio=0.0)
    tracer = world.tracing.provider.get_tracer("late")
    with world.request() as kept:
        kept.fail(kinds.LaunchError("no"))
    with world.request() as dropped:
        pass
    tracer.start_span("after kept", context=set_span_in_context(kept)).end()
    tracer.start_span("after dropped", context=set_span_in_context(dropped)).end()
    broken = tracer.start_span("broken after dropped", context=set_span_in_context(dropped))
    broken.record_exception(kinds.LaunchError("no"))
    broken.set_status(StatusCode.ERROR)
    broken.end()
    assert world.names() == ["web.request", "after kept", "broken after dropped"]
    assert world.decisions() == {("kept", "error"): 1, ("dropped", "ratio"): 1}
    assert world.unaccounted() == 0


def test_another_part_of_a_kept_trace_is_kept(strict: Any, kinds: Any) -> None:
    """A second local root of a trace that was kept for an error follows that verdict."""
    header = f"00-{7:032x}-{9:016x}-00"
    with strict.request.under(header)() as first:
        first.fail(kinds.LaunchError("no"))
    with strict.query.under(header)():
        pass
    with strict.query.under(f"00-{8:032x}-{9:016x}-00")():
        pass
    assert strict.names() == ["web.request", "web.query"]
    assert strict.decisions() == {("kept", "error"): 2, ("dropped", "ratio"): 1}


def test_verdicts_are_bounded(build: Any, kinds: Any) -> None:
    """Only so many verdicts are remembered; the oldest goes first."""
    world = build(success_ratio=0.0, bounds=Bounds(verdicts=1))
    for trace in (7, 8):
        with world.request.under(f"00-{trace:032x}-{9:016x}-00")() as span:
            span.fail(kinds.LaunchError("no"))
    for trace in (7, 8):
        with world.query.under(f"00-{trace:032x}-{9:016x}-00")():
            pass
    assert world.names() == ["web.request", "web.request", "web.query"]


def test_a_trace_past_its_bound_loses_spans_and_says_so(build: Any) -> None:
    """Spans past the bound of one undecided trace are dropped and counted."""
    world = build(success_ratio=0.0, bounds=Bounds(spans_per_trace=3))
    with world.request():
        for _ in range(5):
            with world.query():
                pass
        world.clock.advance(2)
    assert len(world.spans()) == 4
    assert world.drops() == {"buffer_full": 2}
    assert world.unaccounted() == 0


def test_a_long_trace_that_will_be_kept_is_sent_in_parts(build: Any) -> None:
    """A trace that is certain to be kept loses nothing, however many spans it has."""
    world = build(bounds=Bounds(spans_per_trace=3))
    with world.request():
        for _ in range(10):
            with world.query():
                pass
    assert len(world.spans()) == 11
    assert world.drops() == {}
    assert world.decisions() == {("kept", "ratio"): 1}


def test_the_oldest_trace_is_decided_early_when_memory_is_full(build: Any, kinds: Any) -> None:
    """Past the bound of all spans the oldest trace is decided on what is known: an error is kept, else it is dropped."""
    world = build(success_ratio=0.0, bounds=Bounds(spans=2))
    failing, fine = world.request(), world.request.under(None)()
    with failing:
        with world.query() as query:
            query.fail(kinds.LaunchError("no"))
        with fine:
            for _ in range(3):
                with world.query():
                    pass
    assert sorted(world.names()) == ["web.query", "web.request"]
    assert world.decisions() == {("kept", "error"): 1, ("dropped", "buffer_full"): 1}
    assert world.drops() == {"buffer_full": 2, "not_sampled": 2}
    assert world.unaccounted() == 0


def test_ending_twice_counts_once(world: Any) -> None:
    """Only the first end of a span matters."""
    with world.request() as span:
        pass
    span.end()
    assert world.names() == ["web.request"]
    assert world.spans_by_result() == {"started": 1, "kept": 1, "exported": 1}


def test_close_decides_what_is_open(strict: Any, kinds: Any) -> None:
    """On close, buffered spans of a failed trace go out, others are dropped, and open spans count as unfinished."""
    failed = strict.request()
    failed.__enter__()
    with strict.query() as query:
        query.fail(kinds.LaunchError("no"))
    strict.tracing.close(5)
    failed.__exit__(None, None, None)
    with strict.request() as after:
        assert after.ids[0]
    assert [span.name for span in strict.exporter.spans] == ["web.query"]
    assert strict.drops() == {"unfinished": 1}
    assert strict.unaccounted() == 0


steps = st.lists(
    st.tuples(st.sampled_from(["open", "child", "end", "fail", "slow", "late", "remote"]), st.integers(0, 9)), max_size=60
)


def run_steps(world: Any, script: list[tuple[str, int]], error: Exception) -> None:
    """Interpret a script of starts and ends in any order, with leaks, late spans and repeated trace ids."""
    tracer = world.tracing.provider.get_tracer("script")
    spans: list[Any] = []
    for action, number in script:
        known = spans[number % len(spans)] if spans else None
        if action == "open" or known is None:
            spans.append(tracer.start_span("root"))
        elif action == "remote":
            header = f"00-{number + 1:032x}-{5:016x}-00"
            with world.request.under(header)():
                pass
        elif action in ("child", "late"):
            spans.append(tracer.start_span("child", context=set_span_in_context(known)))
        elif action == "fail":
            known.note_failure(error)
        elif action == "slow":
            world.clock.advance(0.4)
        else:
            known.end()


def check_nothing_is_lost(build: Any, kinds: Any, script: list[tuple[str, int]], ratio: float, exporter: Any) -> None:
    """Fail when a span of the script is neither exported nor dropped for a reason."""
    bounds = Bounds(spans_per_trace=3, spans=5, verdicts=2, queue=6)
    world = build(success_ratio=ratio, bounds=bounds, exporter=exporter(), random_ids=True)
    run_steps(world, script, kinds.LaunchError("no"))
    world.tracing.close(5)
    assert world.unaccounted() == 0
    assert world.guarded().keys() <= {"traces"}
    results = world.spans_by_result()
    assert results.get("exported", 0) == len({id(s) for s in getattr(world.exporter, "spans", [])})


@given(script=steps, ratio=st.sampled_from([0.0, 0.5, 1.0]), fails=st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_span_is_exported_or_dropped_for_a_reason(
    build_each: Any, kinds_each: Any, script: list[tuple[str, int]], ratio: float, fails: bool
) -> None:
    """Whatever starts, ends, leaks or comes late, ``started == exported + dropped{reason}`` after close (R23)."""
    exporter = kinds_each.Failing if fails else kinds_each.Kept
    check_nothing_is_lost(build_each, kinds_each, script, ratio, exporter)


FULL = [("open", 0), *(("child", 0), ("end", -1)) * 3, ("open", 0), *(("child", 4), ("end", -1)) * 3]
LATE = [("open", 0), ("end", 0), ("late", 0), ("end", 1)]


@pytest.mark.parametrize(
    ("method", "script"), [("_decide_oldest", FULL), ("_follow", LATE)], ids=["silent eviction", "silent late spans"]
)
def test_mutant_that_drops_in_silence_is_caught(
    build: Any, kinds: Any, monkeypatch: pytest.MonkeyPatch, method: str, script: list[tuple[str, int]]
) -> None:
    """The identity fails when an eviction or a late span is not counted."""

    def silently(self: Any, *arguments: Any) -> None:
        if not arguments:
            self._forget(next(iter(self._waiting.values())))

    check_nothing_is_lost(build, kinds, script, 0.0, kinds.Kept)
    monkeypatch.setattr(Tail, method, silently)
    with pytest.raises(AssertionError):
        check_nothing_is_lost(build, kinds, script, 0.0, kinds.Kept)


def test_threads_share_one_trace_without_losing_count(build: Any) -> None:
    """Children that end on several threads at once are each counted, and the trace is decided once."""
    world = build(random_ids=True)
    tracer = world.tracing.provider.get_tracer("threads")
    with world.request() as root:
        context = set_span_in_context(root)
        threads = [
            threading.Thread(target=lambda: [tracer.start_span("child", context=context).end() for _ in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(world.spans()) == 201
    assert world.decisions() == {("kept", "ratio"): 1}
    assert world.unaccounted() == 0
