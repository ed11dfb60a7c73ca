"""One registered check: when it is due, its single flight, its deadline, and what it last said.

The rules that keep ``/readyz`` honest live here: never two runs of one check at a time, a run past its
deadline makes the check unknown and its late answer is not believed, a result that nobody has refreshed
for several periods goes stale, and a flapping check must fail ``fail_after`` times before it counts.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from obslib.catalog.signals import Importance
from obslib.clock import Clock
from obslib.guard import Guard
from obslib.health.flight import AsyncPilot, Flight, ThreadPilot
from obslib.health.snapshot import CheckState
from obslib.health.verdict import Status, Verdict

__all__ = ["Listener", "Pace", "Probe"]

_STALE_PERIODS = 3.0
_NOT_RUN_YET = Verdict.unknown("not_run_yet")
_NO_LOOP = Verdict.unknown(
    "no_event_loop",
    "the check is asynchronous and has no running event loop; use 'async with' or call begin() inside one, "
    "or make the check a plain function",
)


class Listener(Protocol):
    """What hears of runs and changes; called from whichever thread finished the run."""

    def ran(self, check: str, seconds: float) -> None:
        """A run finished, late or not."""
        ...

    def changed(self, check: str, status: Status, reason: str) -> None:
        """The check's status is another than before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a check is run: every ``every_s``, at most ``deadline_s`` long, failing after so many in a row."""

    every_s: float
    deadline_s: float
    fail_after: int = 1


class Probe:
    """A check and its latest result. Safe to use from any thread."""

    def __init__(
        self, name: str, importance: Importance, pilot: ThreadPilot | AsyncPilot, pace: Pace,
        *, clock: Clock, guard: Guard, listener: Listener,
    ) -> None:  # fmt: skip
        self.name = name
        self.importance = importance
        self._pilot = pilot
        self._pace = pace
        self._clock = clock
        self._guard = guard
        self._listener = listener
        self._verdict = _NOT_RUN_YET
        self._setbacks = 0
        self._finished: float | None = None
        self._last_success: float | None = None
        self._due = clock.monotonic()
        self.renew()

    def renew(self) -> None:
        """Forget the run under way; for a forked child, where nobody flies it any more."""
        self._lock = threading.Lock()
        self._flight: Flight | None = None

    def advance(self, now: float, home: asyncio.AbstractEventLoop | None) -> float:
        """Judge the run under way, start one when it is due; returns seconds until there is more to do."""
        has_just_expired = self._expire(now)
        flight = self._flight
        if now >= self._due:
            if flight is None or not flight.is_expired:
                self.begin(now, home)
            else:
                self._due = now + self._pace.every_s
                if not has_just_expired:
                    self._record(self._too_late())
        flight = self._flight
        waits = [self._due - now]
        if flight is not None and not flight.is_expired:
            waits.append(flight.started + self._pace.deadline_s - now)
        return max(0.0, min(waits))

    def begin(self, now: float, home: asyncio.AbstractEventLoop | None) -> Future[None] | None:
        """Start a run, or join the one under way; ``None`` when an asynchronous check has no loop to run on."""
        if home is None and isinstance(self._pilot, AsyncPilot):
            self._due = now + self._pace.every_s
            self._record(_NO_LOOP)
            return None
        with self._lock:
            self._due = now + self._pace.every_s
            if self._flight is not None:
                return self._flight.landed
            flight = self._flight = Flight(now, self._land)
        try:
            self._launch(flight, home)
        except Exception as error:
            self._flight = None
            self._guard.note("health", error)
            self._record(_NO_LOOP)
            return None
        return flight.landed

    def hasten(self, now: float) -> None:
        """Become due when all that was missing is an event loop, and there is one now."""
        if self._verdict is _NO_LOOP:
            self._due = now

    def state(self, now: float) -> CheckState:
        """The latest result as of ``now``; one that nobody refreshed for three periods is unknown, ``stale``."""
        verdict, finished = self._verdict, self._finished
        age = None if finished is None else max(0.0, now - finished)
        oldest = _STALE_PERIODS * self._pace.every_s + self._pace.deadline_s
        if age is not None and age > oldest and verdict.status is not Status.UNKNOWN:
            verdict = Verdict.unknown("stale", f"last run {age:.0f} s ago said {verdict.status.value}")
        return CheckState(verdict=verdict, importance=self.importance, age_seconds=age, last_success=self._last_success)

    def close(self) -> None:
        """Cancel an asynchronous run and let the thread of a synchronous one end."""
        flight = self._flight
        if flight is not None and flight.cancel is not None:
            with self._guard.quiet("health"):
                flight.cancel()
        if isinstance(self._pilot, ThreadPilot):
            self._pilot.close()

    def _launch(self, flight: Flight, home: asyncio.AbstractEventLoop | None) -> None:
        if isinstance(self._pilot, ThreadPilot):
            self._pilot.launch(flight)
        elif home is not None:
            self._pilot.launch(flight, home)

    def _expire(self, now: float) -> bool:
        with self._lock:
            flight = self._flight
            if flight is None or flight.is_expired or now - flight.started < self._pace.deadline_s:
                return False
            flight.is_expired = True
        if flight.cancel is not None:
            with self._guard.quiet("health"):
                flight.cancel()
        self._record(self._too_late())
        return True

    def _land(self, flight: Flight, answer: object, error: BaseException | None) -> None:
        now = self._clock.monotonic()
        with self._lock:
            if self._flight is flight:
                self._flight = None
            was_expired = flight.is_expired
            flight.is_expired = True
            self._finished = now
        with self._guard.quiet("health"):
            self._listener.ran(self.name, max(0.0, now - flight.started))
        if was_expired:
            return
        is_late = now - flight.started >= self._pace.deadline_s
        self._record(self._too_late() if is_late else self._judge(answer, error))

    def _too_late(self) -> Verdict:
        return Verdict.unknown("deadline_exceeded", f"no answer within {self._pace.deadline_s:g} s")

    def _judge(self, answer: object, error: BaseException | None) -> Verdict:
        if isinstance(error, asyncio.CancelledError):
            return Verdict.unknown("cancelled")
        if error is not None:
            return Verdict.failing("raised", f"the check raised {type(error).__name__}")
        if isinstance(answer, Verdict):
            return answer
        self._guard.note("health", f"check {self.name!r} returned {type(answer).__name__}, not a Verdict")
        return Verdict.unknown("not_a_verdict", f"the check returned {type(answer).__name__}; return Verdict.ok() or another")

    def _record(self, verdict: Verdict) -> None:
        with self._lock:
            before = self._verdict
            is_bad = verdict.status in (Status.FAILING, Status.UNKNOWN)
            self._setbacks = self._setbacks + 1 if is_bad else 0
            if verdict.status is Status.OK:
                self._last_success = self._clock.now()
            if is_bad and before.status is Status.OK and self._setbacks < self._pace.fail_after:
                return
            self._verdict = verdict
        is_first_good = before in (_NOT_RUN_YET, _NO_LOOP) and not is_bad
        if before.status is not verdict.status and not is_first_good:
            with self._guard.quiet("health"):
                self._listener.changed(self.name, verdict.status, verdict.reason)
