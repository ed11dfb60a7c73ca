"""Pauses that something else may end: a new piece of work, or the wish to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from obslib.clock import Clock

__all__ = ["Bell", "pause", "pause_thread"]


class Bell:
    """Rung from any thread; a ring that nobody waits for is kept until it is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_rung = False
        self._listeners: list[Callable[[], object]] = []

    def ring(self) -> None:
        """Wake whoever waits, or the next one who does."""
        with self._lock:
            self._is_rung = True
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    @property
    def is_rung(self) -> bool:
        """Whether a ring waits to be taken."""
        return self._is_rung

    def take(self) -> bool:
        """Whether it was rung since last taken."""
        with self._lock:
            was_rung, self._is_rung = self._is_rung, False
            return was_rung

    def listen(self, listener: Callable[[], object]) -> None:
        """Call ``listener`` at each ring from now on, at once when one is waiting."""
        with self._lock:
            self._listeners.append(listener)
            is_rung = self._is_rung
        if is_rung:
            listener()

    def ignore(self, listener: Callable[[], object]) -> None:
        """Stop calling ``listener``."""
        with self._lock:
            self._listeners.remove(listener)


async def pause(seconds: float | None, clock: Clock, *bells: Bell) -> None:
    """Wait for ``seconds`` of ``clock``, or until one of ``bells`` rings; ``None`` waits for a bell alone."""
    if any(bell.is_rung for bell in bells):
        return
    home = asyncio.get_running_loop()
    over: asyncio.Future[None] = home.create_future()

    def end(_: object = None) -> None:
        if not over.done():
            over.set_result(None)

    def rung() -> None:
        with suppress(RuntimeError):  # the event loop was closed in the meantime
            home.call_soon_threadsafe(end)

    sleeper = None if seconds is None else home.create_task(_sleep(clock, seconds))
    if sleeper is not None:
        sleeper.add_done_callback(end)
    for bell in bells:
        bell.listen(rung)
    try:
        await over
    finally:
        for bell in bells:
            bell.ignore(rung)
        if sleeper is not None:
            sleeper.cancel()


async def _sleep(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)


def pause_thread(seconds: float | None, stop: threading.Event | None, *bells: Bell) -> None:
    """The same for a thread, in real time; ``stop`` is looked at every quarter of a second."""
    over = threading.Event()
    for bell in bells:
        bell.listen(over.set)
    try:
        if stop is None:
            over.wait(seconds)
            return
        left = float("inf") if seconds is None else seconds
        while left > 0 and not stop.is_set() and not over.wait(min(left, 0.25)):
            left -= 0.25
    finally:
        for bell in bells:
            bell.ignore(over.set)
