"""Running something slow beside the event loop that answers probes.

A daemon thread per call instead of an executor: scrapes are few, and a callback gauge that hangs must not
keep the process from exiting, which the threads of an executor do.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

__all__ = ["aside"]

T = TypeVar("T")


async def aside(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises, run in a thread of its own; one that never ends is left behind."""
    home = asyncio.get_running_loop()
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
    return await answer
