"""The time of a line, as text (LOG-02)."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from obslib.clock import Clock

__all__ = ["Stamp"]

_ALMOST = 0.999_999_4
_THREE = tuple(f"{number:03d}" for number in range(1_000))


class Stamp:
    """Renders the clock's present as RFC 3339 in UTC with microseconds; the second is rendered once."""

    __slots__ = ("_now", "_second")

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._second: tuple[float, str] = (-math.inf, "")

    def __call__(self) -> str:
        """The present moment, such as ``2026-01-31T12:00:00.000250Z``."""
        now = self._now()
        second, text = self._second
        past = now - second
        if not 0.0 <= past < _ALMOST:
            second = now // 1
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            self._second = (second, text)
            past = min(now - second, _ALMOST)
        micros = int(past * 1_000_000 + 0.5)
        return f"{text}{_THREE[micros // 1_000]}{_THREE[micros % 1_000]}Z"
