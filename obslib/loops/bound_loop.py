"""A critical loop, bound: one object that a component iterates and that answers for its own health.

Each iteration is counted, timed, traced and judged the same way whoever drives it: the loop itself at its
period (``async for``), a thread (``run``), or a caller on demand (``iteration``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from obslib.catalog import common
from obslib.catalog.signals import Loop
from obslib.context import scope
from obslib.health import Status, Verdict
from obslib.loops.activity import Activity, State
from obslib.loops.backoff import Backoff
from obslib.loops.bell import Bell
from obslib.loops.cursor import CursorPosition
from obslib.loops.history import History
from obslib.loops.instruments import Instruments
from obslib.loops.iteration import Iteration
from obslib.loops.passes import Passes, run_passes
from obslib.loops.scoreboard import FAILURE, SUCCESS, Scoreboard
from obslib.loops.stack import Place

__all__ = ["BoundLoop", "LoopWedged"]

_COMMON = (common.LOOP_ITERATIONS, common.LOOP_ERRORS, common.LOOP_ITERATION_DURATION)


class LoopWedged(TimeoutError):
    """A loop has work and makes no progress; what the watchdog logs."""


class BoundLoop:
    """One declared loop of this process. ``period_s`` is ``None`` for one that runs when woken or on demand.

    ``verdict()`` makes it a ``Progress``: ok while idle or working, failing after a failed iteration, while wedged
    and once whoever iterated it has left; unknown before a periodic loop's first iteration and after ``stop()``.
    """

    def __init__(self, declaration: Loop, *, period_s: float | None, instruments: Instruments, backoff: Backoff) -> None:
        self.declaration = declaration
        self.name = declaration.name
        self.period_s = period_s
        self.instruments = instruments
        self.backoff = backoff
        self.history = History(instruments.clock)
        self.activity = Activity(instruments.clock, stalled_after_s=declaration.stalled_after_s)
        self.cursor = CursorPosition(instruments.clock, self.activity.moved, guard=instruments.guard)
        self.woken = Bell()
        self.halted = Bell()
        self._failed = declaration.failed or common.LOOP_FAILED
        self._failed_fields = frozenset(field.name for field in self._failed.fields)
        self._board = Scoreboard(instruments.metrics, (*_COMMON, *declaration.also), loop=declaration.name)
        instruments.metrics[common.LOOP_HEALTHY].callback(lambda: {(self.name,): self._is_healthy()})
        instruments.metrics[common.LOOP_LAST_SUCCESS].callback(lambda: {(self.name,): self.history.last_success})
        self._span = instruments.tracing.span(declaration.span)
        self._root_span = self._span.under("")
        self._lock = threading.RLock()
        self._running: dict[int, Iteration] = {}
        self._place: Place | None = None
        self._wedged_at: float | None = None
        self._is_stopped = False
        self._is_ended = False

    def iteration(self, *, linked: Sequence[str] = (), **attributes: Any) -> Iteration:
        """One iteration on demand, for ``with`` or ``async with``; an exception propagates after it was recorded.

        Inside a request it keeps the request's id and trace; otherwise it gets its own. ``linked`` holds traceparents
        of what caused it, ``attributes`` go to the span.
        """
        span = self._span.linked(linked) if linked else self._span
        return Iteration(self, span(**attributes), is_driven=False)

    def driven_iteration(self) -> Iteration:
        """One iteration of the loop itself, in a trace of its own."""
        return Iteration(self, self._root_span(), is_driven=True)

    def __aiter__(self) -> Passes:
        """Iterate at the loop's pace until ``stop()``; leaving early ends the loop, and its verdict says so."""
        return Passes(self)

    def run(self, stop: threading.Event | None = None) -> Iterator[Iteration]:
        """Iterate in this thread at the loop's pace, until ``stop()`` or ``stop`` is set; pauses are in real time."""
        return run_passes(self, stop)

    def wake(self) -> None:
        """End the present pause, or skip the next one, from any thread; a backoff after a failure is not cut short."""
        self.woken.ring()

    def stop(self) -> None:
        """Let the present iteration finish and begin no other, from any thread; also ends a pause and a backoff."""
        self.halted.ring()

    def verdict(self) -> Verdict:
        """How the loop is doing, from memory."""
        if self._is_stopped:
            return Verdict.unknown("stopped")
        if self._is_ended:
            return Verdict.failing("ended", "nobody iterates it any more")
        standing = self.activity.standing()
        if self._wedged_at is not None or standing.state is State.WEDGED:
            return Verdict.failing("wedged", f"{standing.pending} pending, no progress for {standing.stalled_s:.0f} s")
        if self.history.failures:
            error = self.history.last_error
            reason = "failing" if error is None else error.error_class.value
            return Verdict.failing(reason, f"{self.history.failures} failed in a row")
        if self.history.runs == 0 and self.period_s is not None and standing.state is State.IDLE:
            return Verdict.unknown("not_run_yet")
        return Verdict.ok(standing.state.value)

    def describe(self) -> Mapping[str, object]:
        """The loop for the debug page."""
        verdict, standing, history = self.verdict(), self.activity.standing(), self.history
        error = history.last_error
        return {
            "status": verdict.status.value,
            "reason": verdict.reason,
            "state": standing.state.value,
            "pending": standing.pending,
            "stalled_seconds": round(standing.stalled_s, 3),
            "running": [it.cycle_id for it in list(self._running.values())],
            "runs": history.runs,
            "failures_in_a_row": history.failures,
            "last_success": history.last_success,
            "last_error": None if error is None else {"at": error.at, "error_class": error.error_class, "type": error.type},
            "cursor_event_id": self.cursor.known_position(),
            "lag_events": self.cursor.lag_events(),
        }

    def examine(self) -> None:
        """Notice that the loop became wedged or recovered, and say so once. The watchdog's step; tests call it too."""
        standing = self.activity.standing()
        is_wedged = standing.state is State.WEDGED and not self._is_stopped and not self._is_ended
        now = self.instruments.clock.monotonic()
        with self._lock:
            was_wedged_at = self._wedged_at
            if is_wedged == (was_wedged_at is not None):
                return
            self._wedged_at = now - standing.stalled_s if is_wedged else None
        if is_wedged:
            self._tell_wedged(standing.pending, standing.stalled_s)
        elif was_wedged_at is not None and not self._is_stopped:
            with scope("", loop=self.name):
                self.instruments.log.event(
                    common.LOOP_RECOVERED, loop=self.name, duration_seconds=round(max(0.0, now - was_wedged_at), 3)
                )

    def begin_passes(self) -> None:
        """Somebody iterates the loop from now on."""
        self._place = Place()
        self._is_stopped = self._is_ended = False

    def end_passes(self, *, is_asked: bool) -> None:
        """Nobody iterates it any more: because it was asked to stop, or because its body was left."""
        self.activity.is_due_at(None)
        self._is_stopped, self._is_ended = is_asked, not is_asked

    def entered(self, iteration: Iteration) -> None:
        """An iteration is open."""
        self._running[id(iteration)] = iteration
        self.activity.began()

    def left(self, iteration: Iteration, result: str, *, put_aside: bool) -> None:
        """An iteration is over with ``result``; an empty one was left early and is counted nowhere."""
        self._running.pop(id(iteration), None)
        self.activity.ended()
        if not result:
            return
        self._board.run(iteration.seconds, result)
        if result == FAILURE:
            self.history.failed()
        elif result == SUCCESS:
            self.history.succeeded(put_aside=put_aside)
        else:
            self.history.passed()

    def tell(self, error: BaseException, facts: Mapping[str, object]) -> None:
        """Count a failure and write the loop's failure line with those ``facts`` that it declares."""
        error_class = self.instruments.classifier.error_class(error)
        self.history.erred(error, error_class)
        self._board.failure(error_class)
        declared = {name: value for name, value in facts.items() if name in self._failed_fields}
        self.instruments.log.failure(self._failed, error, **declared)

    def _is_healthy(self) -> float | None:
        return {Status.OK: 1.0, Status.FAILING: 0.0}.get(self.verdict().status)

    def _tell_wedged(self, pending: int, stalled_s: float) -> None:
        stuck = next(iter(list(self._running.values())), None)
        place = self._place if stuck is None else stuck.place
        request_id, cycle_id = ("", "") if stuck is None else (stuck.request_id, stuck.cycle_id)
        error = LoopWedged(f"loop {self.name!r} has {pending} pending and made no progress for {stalled_s:.0f} s")
        with scope(request_id, loop=self.name, cycle_id=cycle_id):
            self.instruments.log.failure(
                common.LOOP_WEDGED, error, loop=self.name, cycle_id=cycle_id, pending=pending,
                duration_seconds=round(stalled_s, 3), stack="" if place is None else place.stack(),
            )  # fmt: skip
