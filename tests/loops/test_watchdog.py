"""The watchdog: idle, working or wedged, and where a wedged loop stands."""

from __future__ import annotations

import asyncio
import threading
import time

from obslib.catalog import common as c
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import data_plane as s
from obslib.health import Verdict
from obslib.loops.activity import Activity, State
from obslib.loops.stack import Place
from obslib.loops.watchdog import Watchdog
from obslib.testing import FixedClock, FixedIds

FIRST = FixedIds().ulid()


def idle_for_an_hour(rig):
    """Whether an idle loop is (wrongly) wedged after an hour."""
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    with loop.iteration() as it:
        it.pending(0)
    rig.clock.advance(3600)
    rig.loops.check_now()
    return loop.verdict(), [line["event"] for line in rig.lines]


def test_an_idle_loop_is_well_for_however_long(rig):
    """Nothing pending is idle; silence is no symptom."""
    assert idle_for_an_hour(rig) == (Verdict.ok("idle"), [])
    assert rig.samples(c.LOOP_HEALTHY) == {("agent_reconcile",): 1.0}


def test_mutant_a_watchdog_that_does_not_ask_what_is_pending_calls_an_idle_loop_wedged(rig, monkeypatch):
    """Take the pending condition away and the test above would fail."""
    monkeypatch.setattr(Activity, "_is_busy", lambda self: True)
    verdict, events = idle_for_an_hour(rig)
    assert (verdict.reason, events) == ("wedged", ["loop.wedged"])


def test_pending_work_without_progress_is_wedged_once_and_recovers_once(rig):
    """The line names what is pending and for how long, health turns, and progress turns it back."""
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    with loop.iteration() as it:
        it.pending(3)
    rig.clock.advance(59)
    rig.loops.check_now()
    assert loop.verdict() == Verdict.ok("working")
    rig.clock.advance(1)
    for _ in range(3):
        rig.loops.check_now()
        rig.clock.advance(10)
    (line,) = rig.lines
    assert str(line.pop("error")) == "loop 'agent_reconcile' has 3 pending and made no progress for 60 s"
    assert line.pop("stack") == ""
    assert line == {
        "event": "loop.wedged", "request_id": "", "trace_id": "", "loop": "agent_reconcile", "cycle_id": "",
        "pending": 3, "duration_seconds": 60.0,
    }  # fmt: skip
    assert rig.samples(c.LOOP_HEALTHY) == {}
    assert loop.verdict() == Verdict.failing("wedged", "3 pending, no progress for 90 s")
    with loop.iteration() as it:
        it.progress(3)
    for _ in range(2):
        rig.loops.check_now()
    assert rig.lines[1:] == [
        {
            "event": "loop.recovered", "request_id": "", "trace_id": "", "loop": "agent_reconcile",
            "duration_seconds": 90.0,
        }
    ]  # fmt: skip
    assert rig.samples(c.LOOP_HEALTHY) == {("agent_reconcile",): 1.0}
    assert loop.verdict() == Verdict.ok("idle")


def test_iterations_that_leave_their_work_pending_do_not_count_as_progress(rig):
    """A loop that turns busily and does nothing is wedged all the same."""
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    for _ in range(13):
        with loop.iteration() as it:
            it.pending(1)
        rig.clock.advance(5)
        rig.loops.check_now()
    assert loop.verdict().reason == "wedged"


def test_moving_the_cursor_is_progress(rig):
    """A consumer that advances is not wedged, whatever is pending."""
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    for event_id in range(1, 14):
        with loop.iteration() as it:
            it.pending(1)
            it.cursor.advance(event_id)
        rig.clock.advance(5)
        rig.loops.check_now()
    assert loop.verdict() == Verdict.ok("working")


async def stuck_in_the_depths(started):
    """Where the loop below waits for ever."""
    started.set()
    await asyncio.Event().wait()


async def test_a_wedged_task_shows_its_chain_of_awaits_and_its_ids(rig):
    """The stack goes through the awaits to the innermost frame; the line carries the cycle's ids."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    started = asyncio.Event()

    async def consume():
        async for _ in loop:
            await stuck_in_the_depths(started)

    task = asyncio.create_task(consume())
    await started.wait()
    rig.clock.advance(61)
    await asyncio.to_thread(rig.loops.check_now)
    (line,) = rig.lines
    names = [frame.rsplit(" ", 1)[1] for frame in line["stack"].splitlines()]
    assert names == ["consume", "stuck_in_the_depths", "wait"]
    assert (line["cycle_id"], line["request_id"]) == (f"cyc_{FIRST}", f"req_{FIRST}")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_wedged_thread_shows_its_frames(rig):
    """A loop that blocks its thread is shown where it blocks."""
    loop = rig.loops.loop(s.AGENT_RECONCILE)
    entered, leave = threading.Event(), threading.Event()

    def block_here():
        entered.set()
        leave.wait(10)

    def drive():
        with loop.iteration():
            block_here()

    thread = threading.Thread(target=drive)
    thread.start()
    entered.wait(10)
    rig.clock.advance(61)
    rig.loops.check_now()
    leave.set()
    thread.join()
    names = [frame.rsplit(" ", 1)[1] for frame in rig.lines[0]["stack"].splitlines()]
    assert names[names.index("drive") :][:3] == ["drive", "block_here", "wait"]
    assert rig.loops.loop(s.AGENT_RECONCILE).verdict().reason == "wedged"
    rig.loops.check_now()
    assert rig.loops.loop(s.AGENT_RECONCILE).verdict() == Verdict.ok("idle")


async def test_a_periodic_loop_whose_next_iteration_never_comes_is_wedged(rig, monkeypatch):
    """When the event loop is blocked by something else, nothing is pending and nothing runs; it is overdue."""
    asleep, never = asyncio.Event(), asyncio.Event()

    async def sleep(seconds):
        asleep.set()
        await never.wait()

    monkeypatch.setattr(rig.clock, "sleep", sleep)
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)

    async def consume():
        async for _ in loop:
            pass

    task = asyncio.create_task(consume())
    await asleep.wait()
    rig.clock.advance(64)
    rig.loops.check_now()
    assert loop.verdict() == Verdict.ok("working")
    rig.clock.advance(1)
    rig.loops.check_now()
    assert loop.verdict().reason == "wedged"
    loop.stop()
    await task
    rig.loops.check_now()
    assert loop.verdict() == Verdict.unknown("stopped")
    assert [line["event"] for line in rig.lines] == ["loop.wedged"]


def test_concurrent_iterations_keep_each_other_working(rig_of):
    """Of many appends there is always one under way; the loop is wedged only when none of them ends any more."""
    rig = rig_of("control-plane")
    append = rig.loops.loop(cp.EVENT_APPEND)
    previous = append.iteration()
    previous.__enter__()
    for _ in range(10):
        following = append.iteration()
        following.__enter__()
        previous.__exit__(None, None, None)
        previous = following
        rig.clock.advance(20)
        rig.loops.check_now()
        assert append.verdict() == Verdict.ok("working")
    rig.clock.advance(10)
    rig.loops.check_now()
    assert append.verdict().reason == "wedged"
    previous.__exit__(None, None, None)


def test_standing_follows_what_is_said():
    """Busy begins when work appears, not when the loop was last heard."""
    clock = FixedClock()
    activity = Activity(clock, stalled_after_s=60)
    clock.advance(1000)
    activity.began()
    activity.holds(2)
    clock.advance(30)
    activity.put_aside()
    assert (activity.standing().state, activity.standing().pending, activity.standing().stalled_s) == (State.WORKING, 1, 30)
    activity.moved(1)
    assert activity.standing().state is State.IDLE
    activity.ended()
    clock.advance(1000)
    assert activity.standing().state is State.IDLE


def test_a_place_that_is_gone_has_no_stack():
    """The thread may have ended by the time somebody looks."""
    places = []
    thread = threading.Thread(target=lambda: places.append(Place()))
    thread.start()
    thread.join()
    assert places[0].stack() == ""


def test_the_watchdog_looks_in_its_own_thread_and_survives_what_it_sees(rig):
    """It looks until stopped, can be started again, and an error while looking is counted, not fatal."""
    looks = []
    seen = threading.Semaphore(0)

    def look():
        looks.append(threading.current_thread().name)
        seen.release()
        raise RuntimeError("broken")

    dog = Watchdog(look, guard=rig.guard, every_s=0.001)
    for _ in range(2):
        dog.start()
        dog.start()
        assert seen.acquire(timeout=5)
        assert seen.acquire(timeout=5)
        dog.stop()
    assert set(looks) == {"obslib-watchdog"}
    assert rig.guard.last.pop("loops") == "RuntimeError"


async def test_the_watchdog_sees_a_blocked_event_loop(rig):
    """It runs outside the event loop, so blocking code in the body does not blind it."""
    loop = rig.loops.loop(s.AGENT_RECONCILE, period=5)
    async for _ in loop:
        looker = threading.Thread(target=lambda: (rig.clock.advance(61), rig.loops.check_now()))
        looker.start()
        while looker.is_alive():
            time.sleep(0.001)
        loop.stop()
    assert "test_the_watchdog_sees_a_blocked_event_loop" in rig.lines[0]["stack"]
