"""How far a consumer has read the event log, and how far behind that is (DBG-2-01, OWN-08)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from obslib.clock import Clock
from obslib.guard import Guard
from obslib.loops.counted import whole

__all__ = ["CursorPosition"]


class CursorPosition:
    """The last event fully processed and the newest one known of. Safe from any thread.

    ``on_move`` is called after each step forward. An event id that is no whole number is ignored and counted by
    ``guard``.
    """

    def __init__(self, clock: Clock, on_move: Callable[[], object] | None = None, *, guard: Guard | None = None) -> None:
        self._clock = clock
        self._on_move = on_move
        self._guard = guard
        self._lock = threading.Lock()
        self._position: int | None = None
        self._head: int | None = None
        self._at_head = clock.monotonic()

    @property
    def position(self) -> int:
        """Last event id fully processed; 0 before the first, which is where an event log is read from."""
        return self._position or 0

    def advance(self, event_id: int) -> bool:
        """Everything up to ``event_id`` is processed; whether that moved the cursor. It never moves back here."""
        processed = whole(event_id, self._guard, "cursor.advance()")
        if processed is None:
            return False
        with self._lock:
            moved = self._position is None or processed > self._position
            if moved:
                self._position = processed
            self._settle()
        if moved and self._on_move is not None:
            self._on_move()
        return moved

    def restore(self, event_id: int) -> None:
        """Start from a persisted position, or go back to one."""
        persisted = whole(event_id, self._guard, "cursor.restore()")
        if persisted is None:
            return
        with self._lock:
            self._position = persisted
            self._settle()

    def head(self, event_id: int) -> None:
        """The newest event id this consumer has heard of; ids may have gaps."""
        newest = whole(event_id, self._guard, "cursor.head()")
        if newest is None:
            return
        with self._lock:
            self._settle()
            self._head = max(newest, self._head or 0)

    def known_position(self) -> float | None:
        """The position as a gauge: absent until something was processed or restored."""
        return None if self._position is None else float(self._position)

    def lag_events(self) -> float | None:
        """Newest known event id minus position, never below 0; absent until a position is known."""
        position, head = self._position, self._head
        return None if position is None else float(max(0, (head or 0) - position))

    def lag_seconds(self) -> float | None:
        """Seconds since the cursor last stood at the newest event it knew of; absent until a position is known."""
        lag = self.lag_events()
        if lag is None:
            return None
        return max(0.0, self._clock.monotonic() - self._at_head) if lag else 0.0

    def _settle(self) -> None:
        if self.position >= (self._head or 0):
            self._at_head = self._clock.monotonic()
