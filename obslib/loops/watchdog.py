"""The thread that looks at loops from outside, because a wedged loop cannot report itself."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from obslib.guard import Guard

__all__ = ["Watchdog"]


class Watchdog:
    """Calls ``look`` every ``every_s`` seconds of real time in a daemon thread; what it raises is counted."""

    def __init__(self, look: Callable[[], None], *, guard: Guard, every_s: float = 1.0) -> None:
        self._look = look
        self._guard = guard
        self._every_s = every_s
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        forget = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    def start(self) -> None:
        """Begin looking; again after ``stop()`` or in a forked child. Does nothing while it looks already."""
        if not self._threads or not self._threads[0].is_alive():
            self._stop.clear()
            self._threads = [threading.Thread(target=self._watch, name="obslib-watchdog", daemon=True)]
            self._threads[0].start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Stop looking; waits at most ``timeout_s`` for a look under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout_s)

    def _watch(self) -> None:
        while not self._stop.wait(self._every_s):
            with self._guard.quiet("loops"):
                self._look()

    def _forget(self) -> None:
        self._stop = threading.Event()
        self._threads = []
