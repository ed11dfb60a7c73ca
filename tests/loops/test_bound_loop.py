"""A bound loop: every iteration is counted, timed, traced and judged the same way."""

from __future__ import annotations

import asyncio
import itertools
import threading

import pytest

from obslib import context
from obslib.catalog import common as c
from obslib.catalog.platform import consumers as k
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import data_plane as s
from obslib.errors import UnknownSignal
from obslib.health import Status, Verdict
from obslib.testing import FixedIds

FIRST = FixedIds().ulid()


async def iterate(loop, body, times=1):
    """Iterate ``times`` with ``body(it)`` inside its own block."""
    left = times
    async for it in loop:
        with it:
            left -= 1
            if left == 0:
                loop.stop()
            body(it)


async def test_a_good_iteration_is_counted_under_all_its_names_and_writes_no_line(rig):
    """An idle, healthy loop is not loud, and each family of the declaration gets the run."""
    await iterate(rig.loops.loop(s.AGENT_RECONCILE, period=5), lambda it: rig.clock.advance(0.25))
    assert rig.lines == []
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "success"): 1.0}
    assert rig.samples(c.LOOP_ERRORS) == {}
    assert rig.samples(c.LOOP_ITERATION_DURATION, "_sum") == {("agent_reconcile",): 0.25}
    assert rig.samples(c.LOOP_LAST_SUCCESS) == {("agent_reconcile",): rig.clock.now()}
    assert rig.samples(s.AGENT_RECONCILE_RUNS) == {("success",): 1.0}
    assert rig.samples(s.AGENT_RECONCILE_DURATION, "_sum") == {(): 0.25}
    assert rig.spans() == [("agent.reconcile", False)]


async def test_a_failed_iteration_leaves_enough_to_debug_without_guessing(rig, launch_error):
    """The line has loop, cycle, attempt, backoff, cursor, request and trace (STN-06); every error family counts."""
    error = launch_error("no kernel")

    def body(it):
        it.cursor.advance(41)
        raise error

    await iterate(rig.loops.loop(s.AGENT_RECONCILE, period=5), body)
    assert rig.lines == [
        {
            "event": "agent.reconcile_failed", "request_id": f"req_{FIRST}", "loop": "agent_reconcile",
            "cycle_id": f"cyc_{FIRST}", "attempt": 1, "backoff_seconds": 0.1, "cursor_event_id": 41, "error": error,
            "trace_id": f"{1:032x}",
        }
    ]  # fmt: skip
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "failure"): 1.0}
    assert rig.samples(c.LOOP_ERRORS) == {("agent_reconcile", "dependency"): 1.0}
    assert rig.samples(s.AGENT_RECONCILE_ERRORS) == {("dependency",): 1.0}
    assert rig.samples(s.AGENT_RECONCILE_RUNS) == {("failure",): 1.0}
    assert rig.samples(c.LOOP_LAST_SUCCESS) == {}
    assert rig.spans() == [("agent.reconcile", True)]


async def test_health_follows_the_last_iteration(rig):
    """Unknown before the first run, ok while it works, failing after a failure, ok again, unknown once stopped."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    seen = [loop.verdict()]
    shown = []

    def body(it):
        seen.append(loop.verdict())
        shown.append(rig.samples(c.LOOP_HEALTHY))
        if len(seen) == 2:
            raise OSError("down")

    await iterate(loop, body, times=3)
    assert seen == [
        Verdict.unknown("not_run_yet"),
        Verdict.ok("working"),
        Verdict.failing("dependency", "1 failed in a row"),
        Verdict.ok("working"),
    ]
    assert shown == [{("agent_reconcile",): 1.0}, {}, {("agent_reconcile",): 1.0}]
    assert loop.verdict() == Verdict.unknown("stopped")


async def test_failures_back_off_doubling_and_the_period_holds_otherwise(rig):
    """Pauses are 0.1 s, 0.2 s, 0.4 s after failures in a row, and start to start after a success."""
    starts = []

    def body(it):
        starts.append((it.attempt, rig.clock.monotonic()))
        rig.clock.advance(1.0)
        if len(starts) in (2, 3, 4):
            raise OSError("down")

    await iterate(rig.loops.loop(s.AGENT_RECONCILE, period=5), body, times=6)
    pauses = [round(b - a, 6) for (_, a), (_, b) in itertools.pairwise(starts)]
    assert pauses == [5.0, 1.1, 1.2, 1.4, 5.0]
    assert [attempt for attempt, _ in starts] == [1, 1, 2, 3, 4, 1]


async def test_every_iteration_has_its_own_ids_and_trace_and_leaves_nothing_bound(rig):
    """Cycle, request and trace differ between iterations, whatever request the loop was started in."""
    seen = []
    with context.scope("req_outer", outer=1):
        async for it in (loop := rig.loops.loop(s.AGENT_RECONCILE, period=0)):
            ambient = context.current()
            seen.append((it.cycle_id, ambient.request_id, dict(ambient.fields), rig.tracing.current_ids()[0]))
            if len(seen) == 2:
                loop.stop()
        assert context.current().request_id == "req_outer"
        assert rig.tracing.current_ids() == ("", "")
    ids = FixedIds()
    minted = [ids.ulid(), ids.ulid()]
    assert seen == [
        (f"cyc_{u}", f"req_{u}", {"loop": "agent_reconcile", "cycle_id": f"cyc_{u}"}, f"{n:032x}")
        for n, u in enumerate(minted, 1)
    ]


async def test_work_put_aside_is_counted_and_logged_but_does_not_fail_the_iteration(rig, launch_error):
    """One instance that cannot boot is an error of the loop with the ids at hand, not a failed pass (ALR-06)."""
    error = launch_error("no kernel")

    def body(it):
        it.pending(2)
        with context.bound(instance_id="inst_1"):
            it.retry_later(error, reason="image_pull_failed")
        it.progress()

    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    await iterate(loop, body)
    (line,) = rig.lines
    assert (line["instance_id"], line["backoff_seconds"], line["error"]) == ("inst_1", 5, error)
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "success"): 1.0}
    assert rig.samples(c.LOOP_ERRORS) == {("agent_reconcile", "dependency"): 1.0}
    assert loop.activity.standing().pending == 0


async def test_an_error_told_twice_is_counted_once(rig):
    """fail(error) followed by raising it is one failure with one line."""
    error = OSError("down")

    def body(it):
        it.fail(error)
        raise error

    await iterate(rig.loops.loop(s.AGENT_RECONCILE, period=5), body)
    assert len(rig.lines) == 1
    assert rig.samples(c.LOOP_ERRORS) == {("agent_reconcile", "dependency"): 1.0}
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "failure"): 1.0}


async def fail_second_time(loop):
    """A body that does not wrap itself, and raises in its second iteration."""
    async for it in loop:
        _ = 1 / (it.cycle_id == f"cyc_{FIRST}")


async def test_an_exception_in_a_bare_body_ends_the_loop_and_the_loop_says_so(rig):
    """Without ``with it`` the exception propagates; the loop is not healthy, and its context is not left bound."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    with pytest.raises(ZeroDivisionError):
        await fail_second_time(loop)
    assert loop.verdict() == Verdict.failing("ended", "nobody iterates it any more")
    assert context.current() == context.Ambient()
    assert rig.tracing.current_ids() == ("", "")
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "success"): 1.0}
    assert rig.samples(c.LOOP_HEALTHY) == {}
    assert loop.describe()["running"] == []


async def test_mutant_an_iterator_that_does_not_notice_being_left_keeps_the_loop_looking_well(rig, monkeypatch):
    """Without the notice a dead loop would report that all is well: what the check above is for."""
    monkeypatch.setattr("obslib.loops.bound_loop.BoundLoop.end_passes", lambda self, *, is_asked: None)
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    with pytest.raises(ZeroDivisionError):
        await fail_second_time(loop)
    assert loop.verdict() == Verdict.ok("idle")


async def test_cancellation_is_no_failure(rig):
    """A cancelled iteration, with or without its own block, is counted nowhere and writes no line."""
    for is_wrapped in (True, False):
        loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)

        async def body(loop=loop, is_wrapped=is_wrapped):
            async for it in loop:
                if is_wrapped:
                    with it:
                        await asyncio.Event().wait()
                await asyncio.Event().wait()

        task = asyncio.create_task(body())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert loop.verdict() == Verdict.ok("working")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert loop.describe()["running"] == []
    assert rig.lines == []
    assert rig.samples(c.LOOP_ITERATIONS) == {}
    assert rig.samples(c.LOOP_ERRORS) == {}


async def test_wake_ends_a_pause_and_runs_a_loop_without_a_period(rig):
    """Without a period the loop runs once, then whenever it is woken, from any thread."""
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    runs = []

    async def body():
        async for it in loop:
            runs.append(it.cycle_id)
            if len(runs) == 3:
                loop.stop()

    task = asyncio.create_task(body())
    for expected in (1, 2):
        while len(runs) < expected:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert len(runs) == expected
        await asyncio.to_thread(loop.wake)
    await asyncio.wait_for(task, 5)
    assert len(runs) == 3


async def test_waking_does_not_cut_a_backoff_short_but_stopping_does(rig, monkeypatch):
    """News cannot turn a failing loop into a hot one."""
    never = asyncio.Event()

    async def sleep(seconds):
        await never.wait()

    monkeypatch.setattr(rig.clock, "sleep", sleep)
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    runs = []

    async def body():
        async for it in loop:
            with it:
                runs.append(it)
                raise OSError("down")

    task = asyncio.create_task(body())
    await asyncio.sleep(0.01)
    loop.wake()
    await asyncio.sleep(0.01)
    assert len(runs) == 1
    loop.stop()
    await asyncio.wait_for(task, 5)
    assert len(runs) == 1


def test_on_demand_inside_a_request_keeps_the_requests_id_and_lets_exceptions_through(rig_of):
    """An append is part of its request: same request id, exception propagates after it was recorded."""
    rig = rig_of("control-plane")
    append = rig.loops.loop(cp.EVENT_APPEND)
    error = OSError("connection lost")
    seen = []

    def handle():
        with context.scope("req_1", actor="me"), append.iteration(count=1):
            seen.append(dict(context.current().fields))
            raise error

    with pytest.raises(OSError, match="connection lost"):
        handle()
    assert seen == [{"actor": "me", "loop": "event_append", "cycle_id": f"cyc_{FIRST}"}]
    (line,) = rig.lines
    assert line == {
        "event": "loop.failed", "request_id": "req_1", "actor": "me", "loop": "event_append", "cycle_id": f"cyc_{FIRST}",
        "attempt": 1, "backoff_seconds": 0.0, "cursor_event_id": 0, "error": error, "trace_id": f"{1:032x}",
    }  # fmt: skip
    assert rig.samples(cp.EVENT_APPENDS) == {("failure",): 1.0}
    assert rig.samples(cp.EVENT_APPEND_DURATION, "_count") == {("failure",): 1.0}


def test_a_conflict_is_neither_success_nor_failure(rig_of):
    """It is written as such where the family knows it, as a success elsewhere, and health stays what it was."""
    rig = rig_of("control-plane")
    append = rig.loops.loop(cp.EVENT_APPEND)

    def clash():
        with append.iteration() as it:
            it.conflict()
            raise ValueError("taken")

    with pytest.raises(OSError, match="down"), append.iteration():
        raise OSError("down")
    before = append.verdict()
    with pytest.raises(ValueError, match="taken"):
        clash()
    assert append.verdict() == before == Verdict.failing("dependency", "1 failed in a row")
    assert rig.samples(cp.EVENT_APPENDS) == {("failure",): 1.0, ("conflict",): 1.0}
    assert rig.samples(c.LOOP_ITERATIONS) == {("event_append", "failure"): 1.0, ("event_append", "success"): 1.0}
    assert rig.samples(c.LOOP_LAST_SUCCESS) == {}
    assert len(rig.lines) == 1
    with append.iteration():
        pass
    assert append.verdict() == Verdict.ok("idle")


async def test_async_with_and_links_work_on_demand(rig_of):
    """``async with`` is the same, and links point at what caused the iteration."""
    rig = rig_of("projector")
    cause = f"00-{9:032x}-{9:016x}-01"
    async with rig.loops.loop(cp.PROJECTIONS).iteration(linked=[cause], count=3) as it:
        it.set(count=4)
        assert context.current().fields["linked_trace_ids"] == [f"{9:032x}"]
    rig.tracing.flush(5.0)
    (span,) = rig.exporter.get_finished_spans()
    assert dict(span.attributes)["count"] == 4
    assert [link.context.trace_id for link in span.links] == [9]


def test_a_thread_can_drive_a_loop(rig):
    """``run()`` iterates in the calling thread until stop() or until the given event is set."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=0)
    stop = threading.Event()
    results = []
    for it in loop.run(stop):
        with it:
            results.append(it.attempt)
            if len(results) == 3:
                stop.set()
            raise OSError("down") if len(results) == 1 else ValueError("bad")
    assert results == [1, 2, 3]
    assert loop.verdict() == Verdict.unknown("stopped")
    for _ in loop.run():
        loop.stop()
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "failure"): 3.0, ("agent_reconcile", "success"): 1.0}
    assert loop.verdict().status is Status.UNKNOWN


async def test_the_cursor_is_exported_under_its_consumer(rig):
    """Position, lag in events and lag in seconds; absent until a position is known."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    assert rig.samples(k.CONSUMER_CURSOR) == {}

    def body(it):
        it.cursor.restore(10)
        it.cursor.head(14)

    await iterate(loop, body)
    rig.clock.advance(7)
    assert rig.samples(k.CONSUMER_CURSOR) == {("agent",): 10.0}
    assert rig.samples(k.CONSUMER_CURSOR_LAG) == {("agent",): 4.0}
    assert rig.samples(k.CONSUMER_CURSOR_LAG_SECONDS) == {("agent",): 7.0}


@pytest.mark.parametrize("wrong", [None, "3", 2.5, object()])
async def test_wrong_values_reach_the_guard_and_nobody_else(rig, wrong):
    """What a body reports is telemetry: no number, error or event id it hands over raises, and the pass succeeds."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)

    def body(it):
        it.pending(4)
        it.pending(wrong)
        it.progress(wrong)
        it.progress(-3)
        it.cursor.advance(wrong)
        it.cursor.head(wrong)
        assert loop.activity.standing().pending == 4
        it.progress(4)

    await iterate(loop, body)
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "success"): 1.0}
    assert rig.samples(c.TELEMETRY_GUARD_ERRORS) == {("loops",): 4.0}
    rig.guard.last.clear()


async def test_a_failure_without_an_exception_is_still_one(rig):
    """Text in place of an exception is counted by the guard; the failure it reports counts all the same."""

    def body(it):
        it.retry_later("no room", reason="full")
        it.fail("broken")

    await iterate(rig.loops.loop(s.AGENT_RECONCILE, period=5), body)
    assert [str(line["error"]) for line in rig.lines] == ["full", "failed without a reason"]
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "failure"): 1.0}
    assert rig.guard.last == {"loops": "a failure takes an exception, not str"}
    rig.guard.last.clear()


@pytest.mark.parametrize("period", ["5", float("nan"), float("inf"), -0.5, []])
def test_a_period_that_is_no_number_of_seconds_is_refused(rig, period):
    """Loud at wiring, whether the loop is bound for the first time or again."""
    for _ in range(2):
        with pytest.raises(ValueError, match="loop 'agent_reconcile' has period") as refused:
            rig.loops.loop(s.AGENT_RECONCILE, period=period)
        assert str(refused.value) == f"loop 'agent_reconcile' has period {period!r}; it is in seconds, at least 0, or None"
        rig.loops.loop(s.AGENT_RECONCILE)


def test_what_is_no_loop_or_operation_is_refused_with_its_own_binder(rig):
    """The sentence says what it is and how to bind it."""
    with pytest.raises(UnknownSignal) as refused:
        rig.loops.loop(s.AGENT_BOOT_FAILURES)
    assert str(refused.value) == "<Counter agent_instance_boot_failures_total> is no Loop; bind this one with obs.metrics[...]"
    with pytest.raises(UnknownSignal) as refused:
        rig.loops.operation(s.AGENT_RECONCILE)
    assert str(refused.value) == "<Loop agent_reconcile> is no Operation; bind this one with obs.loop(...)"
    with pytest.raises(UnknownSignal) as refused:
        rig.loops.loop(["agent_reconcile"])
    assert str(refused.value) == "['agent_reconcile'] is no Loop; hand over one that the catalog declares"


def test_binding_is_loud_and_gives_one_object(rig):
    """A foreign loop and a negative period are refused with a sentence; binding twice is the same loop."""
    with pytest.raises(UnknownSignal, match="not for component 'agent'"):
        rig.loops.loop(cp.SCHEDULER_LOOP)
    with pytest.raises(ValueError, match="loop 'agent_reconcile' has period -1; it is in seconds, at least 0, or None"):
        rig.loops.loop(s.AGENT_RECONCILE, period=-1)
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    assert rig.loops.loop(s.AGENT_RECONCILE) is loop
    assert loop.period_s == 5


def test_a_new_loop_is_announced_once(rig_of):
    """The runtime hears of each loop, so that health can watch it."""
    heard = []
    rig = rig_of(on_new=lambda declaration, loop: heard.append((declaration, loop)))
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    rig.loops.loop(s.AGENT_RECONCILE)
    assert heard == [(s.AGENT_RECONCILE, loop)]
    assert rig.loops.describe()["agent_reconcile"]["status"] == "ok"
