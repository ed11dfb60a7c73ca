"""Time, as something that is handed in.

Wall time dates records; monotonic time measures. Nothing in obslib calls ``time`` directly, so a test
can hold both still and compare whole records.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """A source of time in seconds."""

    def now(self) -> float:
        """Unix time."""
        ...

    def monotonic(self) -> float:
        """Time that never steps back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, in this clock's own time."""
        ...


class SystemClock:
    """The machine's clocks."""

    now = staticmethod(time.time)
    """Unix time."""

    monotonic = staticmethod(time.monotonic)
    """Time that never steps back."""

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of real time."""
        await asyncio.sleep(seconds)
