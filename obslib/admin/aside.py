"""Running something slow beside the event loop that answers probes.

A daemon thread per call instead of an executor: calls are few, and one that hangs must not keep the process from
exiting, which the threads of an executor do. Whoever asks for the same while it runs shares the answer, so that
asking again, however often, never adds a thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

__all__ = ["Aside"]

_DEADLINE_S = 10.0

T = TypeVar("T")


class Aside:
    """Calls in threads of their own, one at a time for each key; every caller waits at most ``deadline_s`` seconds."""

    def __init__(self, *, deadline_s: float = _DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._flights: dict[tuple[asyncio.AbstractEventLoop, Hashable], asyncio.Future[Any]] = {}

    async def call(self, key: Hashable, function: Callable[[], T]) -> T:
        """What ``function``, or the one under way for ``key``, returns or raises; TimeoutError when that takes too long.

        One that never ends keeps its thread and its key.
        """
        home = asyncio.get_running_loop()
        flight: asyncio.Future[T] | None = self._flights.get((home, key))
        if flight is None:
            flight = self._flights[home, key] = _started(function, home)
            flight.add_done_callback(lambda done: self._land((home, key), done))
        return await asyncio.wait_for(asyncio.shield(flight), self._deadline_s)

    def _land(self, key: tuple[asyncio.AbstractEventLoop, Hashable], flight: asyncio.Future[Any]) -> None:
        self._flights.pop(key, None)
        if not flight.cancelled():
            flight.exception()  # seen, also when everybody who waited has left


def _started(function: Callable[[], T], home: asyncio.AbstractEventLoop) -> asyncio.Future[T]:
    answer: asyncio.Future[T] = home.create_future()

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(answer.set_result, function())
        except Exception as error:
            settle = partial(answer.set_exception, error)
        with suppress(RuntimeError):  # the loop was closed while this ran
            home.call_soon_threadsafe(lambda: None if answer.done() else settle())

    threading.Thread(target=run, name="obslib-admin-aside", daemon=True).start()
    return answer
