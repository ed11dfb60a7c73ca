"""One run of a check, wherever it runs: a thread of its own, or the component's event loop.

A check is somebody else's code and may hang for ever. A flight gives it a place to hang that is not the
probe, the scheduler or another check: each synchronous check owns one daemon thread, each asynchronous
one is a task. Landing is reported once, by whoever finishes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

__all__ = ["AsyncPilot", "Flight", "ThreadPilot"]


class Flight:
    """A run under way. ``landed`` is done once the answer has been taken note of."""

    __slots__ = ("_report", "cancel", "is_expired", "landed", "started")

    def __init__(self, started: float, report: Callable[[Flight, object, BaseException | None], None]) -> None:
        self.started = started
        self.is_expired = False
        self.landed: Future[None] = Future()
        self.cancel: Callable[[], object] | None = None
        self._report = report

    def land(self, answer: object, error: BaseException | None = None) -> None:
        """Report what the check returned or raised; only the first call counts."""
        if not self.landed.done():
            try:
                self._report(self, answer, error)
            finally:
                self.landed.set_result(None)


class ThreadPilot:
    """Flies a synchronous check in its own daemon thread, started on first use and again after a fork."""

    def __init__(self, name: str, function: Callable[[], object]) -> None:
        self._name = name
        self._function = function
        self._flights: queue.SimpleQueue[Flight | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def launch(self, flight: Flight) -> None:
        """Hand over one run; returns at once."""
        if self._thread is None or not self._thread.is_alive():
            self._flights = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=self._serve, args=(self._flights,), name=f"obslib-check-{self._name}", daemon=True
            )
            self._thread.start()
        self._flights.put(flight)

    def close(self) -> None:
        """Let the thread end after its present run; a hung one is left to the end of the process."""
        self._flights.put(None)
        self._thread = None

    def _serve(self, flights: queue.SimpleQueue[Flight | None]) -> None:
        while (flight := flights.get()) is not None:
            try:
                answer = self._function()
            except BaseException as error:
                flight.land(None, error)
            else:
                flight.land(answer)


class AsyncPilot:
    """Flies an asynchronous check as a task of the component's event loop; whatever it raises is an answer."""

    def __init__(self, function: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._function = function

    def launch(self, flight: Flight, home: asyncio.AbstractEventLoop) -> None:
        """Schedule one run on ``home`` from any thread; raises RuntimeError when that loop is closed."""
        home.call_soon_threadsafe(self._start, flight, home)

    def _start(self, flight: Flight, home: asyncio.AbstractEventLoop) -> None:
        task = home.create_task(self._answer())
        flight.cancel = lambda: home.call_soon_threadsafe(task.cancel)
        task.add_done_callback(lambda done: _land(flight, done))
        if flight.is_expired:
            task.cancel()

    async def _answer(self) -> tuple[object, BaseException | None]:
        # A task hands SystemExit and KeyboardInterrupt on to its event loop, and that would end the component.
        try:
            return await self._function(), None
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            return None, error


def _land(flight: Flight, done: asyncio.Task[tuple[object, BaseException | None]]) -> None:
    if done.cancelled():
        flight.land(None, asyncio.CancelledError())
    elif (error := done.exception()) is not None:
        flight.land(None, error)
    else:
        flight.land(*done.result())
