"""Time and ids that hold still, so that a test can compare whole records."""

from __future__ import annotations

import asyncio

from obslib.ids import ulid

__all__ = ["FixedClock", "FixedIds"]

EPOCH = 1_766_000_000.0
"""2025-12-17T19:33:20Z: where a fixed clock stands at first."""


class FixedClock:
    """A clock that moves only when told to, or when somebody sleeps on it."""

    def __init__(self, start: float = EPOCH) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def now(self) -> float:
        """Unix time."""
        return self._now

    def monotonic(self) -> float:
        """Time that never steps back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self._now += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP may; monotonic time does not notice."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, and other tasks run."""
        self.advance(max(seconds, 0.0))
        await asyncio.sleep(0)


class FixedIds:
    """Ids that count from 1: ``…0001``, ``…0002``; trace and span ids likewise."""

    def __init__(self) -> None:
        self._ulids = 0
        self._traces = 0
        self._spans = 0

    def ulid(self) -> str:
        """The next ULID, all of the same millisecond."""
        self._ulids += 1
        return ulid(int(EPOCH * 1000), self._ulids)

    def trace_id(self) -> int:
        """The next trace id."""
        self._traces += 1
        return self._traces

    def span_id(self) -> int:
        """The next span id."""
        self._spans += 1
        return self._spans
