"""The lock behind every slow path, fit for a process that forks and takes signals.

It is re-entrant, so a signal handler that counts never waits for the code it interrupted, and a forked child gets
a new one, so that a lock held by a thread left behind never hangs it.
"""

from __future__ import annotations

import os
import threading
import weakref

__all__ = ["Latch"]


class Latch:
    """A lock that a forked child gets afresh, so that one held by a thread left behind never hangs it."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        _latches.add(self)


_latches: weakref.WeakSet[Latch] = weakref.WeakSet()


def _renew_latches() -> None:
    for latch in list(_latches):
        latch.lock = threading.RLock()


os.register_at_fork(after_in_child=_renew_latches)
