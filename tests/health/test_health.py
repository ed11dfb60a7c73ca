"""Readiness: every check by name with its reason and age, and what that makes of the component."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from obslib.catalog.platform import data_plane as s
from obslib.errors import UnknownSignal
from obslib.health import Status, Verdict
from obslib.health.probe import Probe

OK = ("ok", "")


def all_ok(rig):
    """Register every check as ok."""
    for check in (rig.database, rig.cache, rig.mailer):
        rig.register(check, Verdict.ok)


def test_before_anything_ran_nothing_is_healthy(rig):
    """A declared check nobody registered, and one that has not run yet, are unknown; unknown is not ready."""
    rig.register(rig.database, Verdict.ok)
    assert rig.verdicts() == {
        "cache": ("unknown", "not_registered"),
        "database": ("unknown", "not_run_yet"),
        "mailer": ("unknown", "not_registered"),
    }
    assert rig.health.snapshot().status == "not_ready"
    assert (rig.health.ready(), rig.health.statuses(), rig.health.ages()) == (0.0, {}, {})


def test_a_snapshot_is_the_documents_shape(rig):
    """Each check has status, importance, reason, detail, age and last success (HLT-02)."""
    rig.register(rig.database, lambda: Verdict.ok("3 ms"))
    rig.register(rig.cache, lambda: Verdict.not_applicable("no_cache", "no driver"))
    rig.register(rig.mailer, lambda: Verdict.failing("refused", "port 25"))
    rig.health.run_now()
    rig.clock.advance(2.5)
    assert rig.health.snapshot().as_dict() == {
        "status": "partial",
        "component": "shop",
        "checks": {
            "cache": {
                "status": "not_applicable", "importance": "degrades", "reason": "no_cache", "detail": "no driver",
                "age_seconds": 2.5, "last_success": None,
            },
            "database": {
                "status": "ok", "importance": "required", "reason": "", "detail": "3 ms",
                "age_seconds": 2.5, "last_success": "2025-12-17T19:33:20.000000Z",
            },
            "mailer": {
                "status": "failing", "importance": "optional", "reason": "refused", "detail": "port 25",
                "age_seconds": 2.5, "last_success": None,
            },
        },
    }  # fmt: skip
    assert rig.health.statuses() == {"database": 1.0, "mailer": 0.0}
    assert rig.health.ages() == {"cache": 2.5, "database": 2.5, "mailer": 2.5}


@pytest.mark.parametrize(
    ("which", "verdict", "status", "is_ready"),
    [
        ("database", Verdict.failing("down"), "not_ready", False),
        ("database", Verdict.unknown("silent"), "not_ready", False),
        ("database", Verdict.not_applicable("none"), "ready", True),
        ("cache", Verdict.failing("down"), "degraded", True),
        ("cache", Verdict.unknown("silent"), "degraded", True),
        ("mailer", Verdict.failing("down"), "partial", True),
        ("mailer", Verdict.unknown("silent"), "partial", True),
        ("mailer", Verdict.ok(), "ready", True),
    ],
)
def test_what_a_check_makes_of_the_component(rig, which, verdict, status, is_ready):
    """Importance decides: required 503, degrades and optional 200; what does not apply has no say."""
    all_ok(rig)
    rig.register(getattr(rig, which), lambda: verdict)
    snapshot = rig.health.run_now()
    assert (snapshot.status, snapshot.is_ready, rig.health.ready()) == (status, is_ready, float(is_ready))


def test_draining_is_not_ready_whatever_the_checks_say(rig):
    """A component that leaves asks for no new work, and says why."""
    all_ok(rig)
    rig.health.run_now()
    rig.health.drain()
    body = rig.health.snapshot().as_dict()
    assert (body["status"], body["draining"]) == ("not_ready", True)


def probe_while_hung(rig):
    """How often a hung check was entered after ten periods, and what it is called."""
    entered, leave = [], threading.Event()

    def hang():
        entered.append(1)
        leave.wait(10)
        return Verdict.ok()

    all_ok(rig)
    rig.register(rig.database, hang, every=5, deadline=0.5)
    for _ in range(11):
        rig.health.tick()
        rig.clock.advance(5)
    rig.health.tick()
    verdict = rig.verdicts()["database"]
    leave.set()
    deadline = time.monotonic() + 5
    while not entered and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    return len(entered), verdict


def test_a_check_without_a_deadline_has_one_all_the_same(rig):
    """What neither the declaration nor the component bounds may take one second."""
    leave = threading.Event()
    assert rig.database.deadline_s is None
    rig.register(rig.database, lambda: leave.wait(10) and Verdict.ok(), every=5)
    seen = []
    for _ in range(3):
        rig.health.tick()
        seen.append(rig.verdicts()["database"][1])
        rig.clock.advance(0.6)
    leave.set()
    assert seen == ["not_run_yet", "not_run_yet", "deadline_exceeded"]


def test_a_hung_check_is_unknown_and_is_entered_once(rig):
    """Past its deadline it is unknown, and no second run is piled on the first (R19)."""
    assert probe_while_hung(rig) == (1, ("unknown", "deadline_exceeded"))


def test_mutant_without_single_flight_a_hung_check_piles_up(rig, monkeypatch):
    """Forget the run under way at each step and the test above would fail."""
    advance = Probe.advance

    def forgetful(self, now, home):
        self.renew()
        return advance(self, now, home)

    monkeypatch.setattr(Probe, "advance", forgetful)
    entered, verdict = probe_while_hung(rig)
    assert entered > 1
    assert verdict != ("unknown", "deadline_exceeded")


def test_a_late_answer_is_not_believed_but_the_next_one_is(rig):
    """A run that came back after its deadline changes nothing but its measured time."""
    began, leave = threading.Event(), threading.Event()

    def slow():
        began.set()
        leave.wait(10)
        return Verdict.ok()

    rig.register(rig.database, slow, every=5, deadline=0.5)
    rig.health.tick()
    began.wait(5)
    rig.clock.advance(1)
    rig.health.tick()
    leave.set()
    while not rig.runs:
        time.sleep(0.001)
    assert rig.runs == [("database", 1.0)]
    assert rig.verdicts()["database"] == ("unknown", "deadline_exceeded")
    rig.health.run_now()
    assert rig.verdicts()["database"] == OK


def test_a_flapping_check_must_fail_several_times_to_count(rig):
    """fail_after failures in a row turn it, one success turns it back, and each turn is announced once."""
    answers = iter([True, False, False, True, False, False, False, True])
    all_ok(rig)
    rig.register(rig.cache, lambda: Verdict.ok() if next(answers) else Verdict.failing("slow"))
    seen = []
    for _ in range(8):
        rig.health.run_now()
        seen.append(rig.verdicts()["cache"][0])
    assert seen == ["ok", "ok", "ok", "ok", "ok", "ok", "failing", "ok"]
    assert rig.changes == [("cache", "failing", "slow"), ("cache", "ok", "")]


def test_hanging_over_and_over_is_failing_several_times(rig):
    """With hysteresis a hung check still turns unknown, after as many periods."""
    leave = threading.Event()
    hung = [False]

    def sometimes():
        if hung[0]:
            leave.wait(10)
        return Verdict.ok()

    rig.register(rig.cache, sometimes, every=5, deadline=0.5)
    rig.health.run_now()
    hung[0] = True
    seen = []
    for _ in range(4):
        rig.clock.advance(5)
        rig.health.tick()
        seen.append(rig.verdicts()["cache"])
    leave.set()
    assert seen == [OK, OK, OK, ("unknown", "deadline_exceeded")]


def test_a_result_nobody_refreshes_goes_stale(rig):
    """When the background stops, the last good answer does not live for ever."""
    all_ok(rig)
    rig.health.run_now()
    rig.clock.advance(16)
    assert rig.verdicts()["database"] == OK
    rig.clock.advance(0.5)
    assert rig.verdicts()["database"] == ("unknown", "stale")
    assert not rig.health.snapshot().is_ready


def test_a_check_that_raises_is_failing_without_its_message(rig):
    """The exception's type is shown on /readyz, its message may hold a secret."""

    def broken():
        raise ConnectionError("postgres://admin:hunter2@db")

    rig.register(rig.database, broken)
    state = rig.health.run_now().checks["database"]
    assert state.verdict == Verdict.failing("raised", "the check raised ConnectionError")


@pytest.mark.parametrize("answer", [True, None, "ok"])
def test_only_a_verdict_is_an_answer(rig, answer):
    """Anything else is unknown, and counted."""
    rig.register(rig.database, lambda: answer)
    assert rig.health.run_now().checks["database"].verdict.reason == "not_a_verdict"
    assert set(rig.guard.last) == {"health"}


def test_a_promise_of_something_else_is_refused_at_registration(rig):
    """The annotation is known at wiring, so it is loud there."""

    def disk() -> bool:
        return True

    with pytest.raises(TypeError) as refused:
        rig.health.check(rig.database)(disk)
    assert str(refused.value) == (
        "check 'database' promises 'bool'; it must return obslib.Verdict, such as Verdict.ok() or Verdict.failing('disk_full')"
    )
    with pytest.raises(UnknownSignal, match="not in catalog 'shop'"):
        rig.health.check(s.DISK_OK)
    with pytest.raises(ValueError, match="check 'database' needs every > 0 and deadline > 0 seconds, not 0 and None"):
        rig.health.check(rig.database, every=0)


@pytest.mark.parametrize("pace", [{"every": "5"}, {"every": float("nan")}, {"deadline": float("inf")}, {"deadline": [1]}])
def test_a_pace_that_is_no_number_of_seconds_is_refused(rig, pace):
    """Loud at wiring, in one sentence that shows the value."""
    with pytest.raises(ValueError, match="check 'database' needs every > 0 and deadline > 0 seconds") as refused:
        rig.health.check(rig.database, **pace)
    assert repr(next(iter(pace.values()))) in str(refused.value)


def test_what_cannot_answer_a_check_is_refused_at_registration(rig):
    """Something that is no function, a function that needs arguments, a declaration that is no check."""

    def disk(path) -> Verdict:
        return Verdict.ok(path)

    with pytest.raises(TypeError) as refused:
        rig.health.check(rig.database)(5)
    assert str(refused.value) == "check 'database' is answered by a function without arguments, not by 5"
    with pytest.raises(TypeError) as refused:
        rig.health.check(rig.database)(disk)
    assert str(refused.value) == (
        f"check 'database' is called without arguments, but {disk!r} needs some (missing a required argument: 'path'); "
        "give them defaults, or register a lambda that passes them"
    )
    with pytest.raises(UnknownSignal) as unknown:
        rig.health.check(rig.loop)
    assert str(unknown.value) == "<Loop shop> is no Check; bind this one with obs.loop(...)"
    with pytest.raises(UnknownSignal, match="'database' is no Check or Loop; hand over one that the catalog declares"):
        rig.health.watch("database", None)
    rig.health.check(rig.database)(lambda path="/": Verdict.ok(path))
    assert rig.health.run_now().checks["database"].verdict == Verdict.ok("/")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError("x"), asyncio.CancelledError()])
@pytest.mark.parametrize("is_async", [True, False])
async def test_whatever_a_check_raises_is_an_answer(rig, error, is_async):
    """No check ends its component, whichever kind it is: an exit is failing like any error, a cancellation unknown."""

    def broken() -> Verdict:
        raise error

    async def broken_later() -> Verdict:
        await asyncio.sleep(0)
        raise error

    rig.health.check(rig.database)(broken_later if is_async else broken)
    await rig.health.refresh()
    is_cancelled = isinstance(error, asyncio.CancelledError)
    assert rig.verdicts()["database"] == (("unknown", "cancelled") if is_cancelled else ("failing", "raised"))


def test_the_decorator_returns_the_function_and_the_last_registration_wins(rig):
    """A component may override what a shim registered."""

    def first() -> Verdict:
        return Verdict.failing("old")

    def second() -> Verdict:
        return Verdict.ok("new")

    assert rig.health.check(rig.database)(first) is first
    rig.health.run_now()
    rig.health.check(rig.database)(second)
    assert rig.health.run_now().checks["database"].verdict == Verdict.ok("new")


async def test_asynchronous_checks_run_on_the_components_loop(rig):
    """As tasks of the loop given to start(), with deadline and single flight like the others."""
    homes = []

    async def fine() -> Verdict:
        homes.append(asyncio.get_running_loop())
        return Verdict.ok()

    rig.health.check(rig.database)(fine)
    await rig.health.refresh()
    assert rig.verdicts()["database"] == OK
    assert homes == [asyncio.get_running_loop()]


async def test_an_asynchronous_check_is_cancelled_at_its_deadline(rig):
    """And is unknown; its task does not linger."""
    ended = asyncio.Event()

    async def hang() -> Verdict:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Verdict.ok()

    rig.health.check(rig.database, every=5, deadline=0.5)(hang)
    assert (await rig.health.refresh(timeout_s=0.01)).checks["database"].verdict.reason == "not_run_yet"
    rig.clock.advance(1)
    rig.health.tick()
    await asyncio.wait_for(ended.wait(), 5)
    assert rig.verdicts()["database"] == ("unknown", "deadline_exceeded")


async def test_an_asynchronous_check_without_a_loop_waits_for_one(rig):
    """It is unknown until start() is called inside a running loop, then runs at once; its first success is no change."""

    async def fine() -> Verdict:
        return Verdict.ok()

    rig.health.check(rig.database)(fine)
    assert (await asyncio.to_thread(rig.health.run_now)).checks["database"].verdict == Verdict.unknown(
        "no_event_loop",
        "the check is asynchronous and has no running event loop; use 'async with' or call begin() inside one, "
        "or make the check a plain function",
    )
    rig.health.start()
    while rig.verdicts()["database"] != OK:
        await asyncio.sleep(0.001)
    assert (rig.changes, rig.guard.last) == ([], {})


def test_a_thousand_probes_run_no_check(rig):
    """Asking reads results; only the background runs checks."""
    runs = []
    all_ok(rig)
    rig.register(rig.database, lambda: runs.append(1) or Verdict.ok())
    rig.health.run_now()
    for _ in range(1000):
        rig.health.snapshot()
    assert len(runs) == 1


def test_a_loop_answers_for_itself(rig):
    """It shows as loop:<name>, degrading a component whose critical loop does not make progress (STN-03)."""

    class Stuck:
        def verdict(self):
            return Verdict.failing("wedged", "3 pending")

    all_ok(rig)
    rig.health.watch(rig.loop, Stuck())
    snapshot = rig.health.run_now()
    assert snapshot.checks["loop:shop"].verdict == Verdict.failing("wedged", "3 pending")
    assert snapshot.status == "degraded"
    rig.health.watch(rig.database, Stuck())
    assert rig.health.run_now().status == "not_ready"


def test_the_background_refreshes_and_stops(rig):
    """start() is enough: checks run in their own threads until stop()."""
    from obslib.clock import SystemClock
    from obslib.health import Health

    ran = threading.Semaphore(0)
    health = Health(catalog=rig.catalog, component="shop", clock=SystemClock(), guard=rig.guard)
    health.check(rig.database, every=0.01, deadline=1)(lambda: ran.release() or Verdict.ok())
    health.start()
    health.start()
    try:
        for _ in range(3):
            assert ran.acquire(timeout=5)
        assert health.snapshot().checks["database"].verdict.status is Status.OK
        names = [thread.name for thread in threading.enumerate()]
        assert names.count("obslib-health-shop") == 1
    finally:
        health.stop()
    assert "obslib-health-shop" not in [thread.name for thread in threading.enumerate()]


def test_what_listens_may_be_broken(rig):
    """An error in on_run or on_change is counted and the check's result stands."""

    def broken(*_):
        raise RuntimeError("no")

    rig.health.on_run = rig.health.on_change = broken
    rig.register(rig.database, lambda: Verdict.failing("down"))
    assert rig.health.run_now().checks["database"].verdict == Verdict.failing("down")
    assert rig.guard.last == {"health": "RuntimeError"}


def test_livez_looks_at_the_process_alone(rig):
    """The process turns, whatever its dependencies do (HLT-01)."""
    rig.register(rig.database, lambda: Verdict.failing("down"))
    rig.health.run_now()
    rig.clock.advance(12.25)
    assert rig.health.livez() == {"status": "ok", "component": "shop", "uptime_seconds": 12.25}


def test_a_forked_child_can_start_again(rig):
    """A run under way in the parent does not block the check in the child."""
    leave = threading.Event()
    parent = os.getpid()
    rig.register(rig.database, lambda: (os.getpid() == parent and leave.wait(10)) or Verdict.ok())
    rig.health.tick()
    child = os.fork()
    if child == 0:
        is_ok = rig.health.run_now().checks["database"].verdict.status is Status.OK
        os._exit(0 if is_ok else 1)
    leave.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
