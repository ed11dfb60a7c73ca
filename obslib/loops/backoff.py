"""How long a loop waits after a failure: 100 ms, doubling, at most 30 s, spread by up to a quarter (platform facts)."""

from __future__ import annotations

import random
from collections.abc import Callable

__all__ = ["Backoff"]

BASE_S = 0.1
CAP_S = 30.0
SPREAD = 0.25


class Backoff:
    """Pauses in seconds by consecutive attempt. ``chance`` returns a number from 0 up to 1."""

    def __init__(self, chance: Callable[[], float] = random.random, *, cap_s: float = CAP_S) -> None:
        self._chance = chance
        self._cap_s = cap_s

    def pause_s(self, attempt: int) -> float:
        """The pause after the ``attempt``-th failure in a row, from 1; never more than the cap.

        At the cap the spread shortens instead of lengthening, so that many loops still part ways there.
        """
        spread = SPREAD * self._chance()
        plain = BASE_S * 2.0 ** min(max(attempt, 1) - 1, 16)
        return min(plain * (1 + spread), self._cap_s) if plain < self._cap_s else self._cap_s * (1 - spread)
