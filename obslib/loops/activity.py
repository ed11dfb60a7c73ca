"""Whether a loop is idle, working or wedged: the one question a watchdog asks.

A loop is *busy* while work is pending, while an iteration runs that has not said how much is pending, and
once its next iteration is overdue. Busy for ``stalled_after_s`` without progress means *wedged*. Nothing
pending is *idle*, for however long: silence is not a symptom.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from obslib.clock import Clock

__all__ = ["Activity", "Standing", "State"]


class State(StrEnum):
    """What a loop is doing."""

    IDLE = "idle"
    WORKING = "working"
    WEDGED = "wedged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A loop's state at one moment; ``stalled_s`` is how long it has been busy without progress, in seconds."""

    state: State
    pending: int
    stalled_s: float


class Activity:
    """Pending work, running iterations and progress of one loop. Safe from any thread."""

    def __init__(self, clock: Clock, *, stalled_after_s: float) -> None:
        self._clock = clock
        self._stalled_after_s = stalled_after_s
        # Re-entrant: an abandoned iteration is closed by the collector, which may run anywhere.
        self._lock = threading.RLock()
        self._pending: int | None = 0
        self._running = 0
        self._since: float | None = None
        self._due: float | None = None

    def began(self) -> None:
        """An iteration runs; until it says otherwise it may hold any amount of work."""
        with self._lock:
            self._running += 1
            self._due = None
            self._pending = self._pending or None
            self._watch()

    def ended(self) -> None:
        """An iteration is over: progress, unless it left work pending, which then is pending still."""
        with self._lock:
            self._running = max(0, self._running - 1)
            if not self._pending:
                self._since = None
            if self._running == 0:
                self._pending = self._pending or 0
            self._watch()

    def holds(self, pending: int) -> None:
        """``pending`` pieces of work wait, at least 0."""
        with self._lock:
            self._pending = max(0, pending)
            self._watch()

    def put_aside(self, pieces: int = 1) -> None:
        """Work left the queue without being done; that is no progress."""
        with self._lock:
            if self._pending:
                self._pending = max(0, self._pending - pieces)
            self._watch()

    def moved(self, pieces: int = 0) -> None:
        """Progress: ``pieces`` of the pending work are done."""
        with self._lock:
            if self._pending:
                self._pending = max(0, self._pending - pieces)
            self._since = None
            self._watch()

    def is_due_at(self, when: float | None) -> None:
        """The next iteration begins by itself at ``when`` on the monotonic clock; ``None`` when nothing is planned."""
        with self._lock:
            self._due = when

    def standing(self) -> Standing:
        """Where the loop stands now."""
        now = self._clock.monotonic()
        with self._lock:
            pending, since = self._pending or 0, self._since
            if since is None and self._due is not None and now > self._due:
                since = self._due
        stalled = 0.0 if since is None else max(0.0, now - since)
        busy = State.WEDGED if stalled >= self._stalled_after_s else State.WORKING
        return Standing(state=State.IDLE if since is None else busy, pending=pending, stalled_s=stalled)

    def _watch(self) -> None:
        if not self._is_busy():
            self._since = None
        elif self._since is None:
            self._since = self._clock.monotonic()

    def _is_busy(self) -> bool:
        return bool(self._pending) or (self._running > 0 and self._pending is None)
