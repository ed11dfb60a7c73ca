"""A loop's own pace: when its next iteration begins, and how the last one is closed.

An iterator never sees an exception of the body it feeds, but CPython drops it the moment the body is left
by one. That moment closes the iteration and marks the loop as ended, so that a critical loop cannot die
silently; a body that wraps itself in ``with it:`` goes on instead.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from obslib.loops.bell import Bell, pause, pause_thread
from obslib.loops.iteration import Iteration

if TYPE_CHECKING:
    from obslib.loops.bound_loop import BoundLoop

__all__ = ["Passes", "run_passes"]


class Passes:
    """The asynchronous iterator behind ``async for it in loop:``."""

    def __init__(self, loop: BoundLoop) -> None:
        self._turns = _Turns(loop)

    def __aiter__(self) -> Passes:
        return self

    async def __anext__(self) -> Iteration:
        turns = self._turns
        if turns.finish():
            bells = turns.bells()
            if turns.wait_s == 0:
                await asyncio.sleep(0)
            else:
                await pause(turns.wait_s, turns.loop.instruments.clock, *bells)
        if not turns.begin():
            raise StopAsyncIteration
        return turns.current()

    def __del__(self) -> None:
        self._turns.left()


def run_passes(loop: BoundLoop, stop: threading.Event | None) -> Iterator[Iteration]:
    """The same for a thread."""
    turns = _Turns(loop)
    try:
        while True:
            if turns.finish() and turns.wait_s != 0:
                pause_thread(turns.wait_s, stop, *turns.bells())
            if stop is not None and stop.is_set():
                loop.halted.ring()
            if not turns.begin():
                return
            yield turns.current()
    finally:
        turns.left()


class _Turns:
    """One turn after the other, shared by both drivers."""

    def __init__(self, loop: BoundLoop) -> None:
        self.loop = loop
        self.wait_s: float | None = 0.0
        self._iteration: Iteration | None = None
        self._started = 0.0
        self._is_over = False

    def finish(self) -> bool:
        """Close the last iteration and plan the next; whether there was one."""
        last = self._iteration
        if last is None:
            self.loop.begin_passes()
            return False
        last.complete()
        self.wait_s = self._plan(last)
        due = None if self.wait_s is None else self.loop.instruments.clock.monotonic() + self.wait_s
        self.loop.activity.is_due_at(due)
        return True

    def bells(self) -> tuple[Bell, ...]:
        """What may end the pause: never news, while the loop backs off from a failure."""
        loop, last = self.loop, self._iteration
        return (loop.halted,) if last is not None and last.has_failed else (loop.halted, loop.woken)

    def begin(self) -> bool:
        """Open the next iteration, unless the loop was asked to stop."""
        if self._is_over:
            return False
        self.loop.woken.take()
        if self.loop.halted.take():
            self._over(is_asked=True)
            return False
        self._started = self.loop.instruments.clock.monotonic()
        self._iteration = self.loop.driven_iteration()
        self._iteration.open()
        return True

    def current(self) -> Iteration:
        """The open iteration."""
        assert self._iteration is not None
        return self._iteration

    def left(self) -> None:
        """The driver is gone; whatever is open was abandoned."""
        if self._iteration is not None and not self._is_over:
            with self.loop.instruments.guard.quiet("loops"):
                self._iteration.abandon()
                self._over(is_asked=self.loop.halted.take())

    def _plan(self, last: Iteration) -> float | None:
        if last.retry_in_s is not None:
            return last.retry_in_s
        if self.loop.period_s is None:
            return None
        return max(0.0, self._started + self.loop.period_s - self.loop.instruments.clock.monotonic())

    def _over(self, *, is_asked: bool) -> None:
        self._is_over = True
        self.loop.end_passes(is_asked=is_asked)
