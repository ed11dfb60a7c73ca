"""How long to leave alone what has just failed: longer each time, so that trying again costs next to nothing.

A room of its own because it must not be the loop's backoff: the edge goes on asking while it is patient.
"""

from __future__ import annotations

from obslib.clock import Clock

__all__ = ["CAP_S", "FIRST_S", "Patience"]

FIRST_S = 1.0
CAP_S = 60.0


class Patience:
    """A pause that begins at ``FIRST_S`` and doubles with each failure at the same thing up to ``CAP_S``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._what = ""
        self._failures = 0
        self._until = 0.0

    def allows(self, what: str) -> bool:
        """Whether to try ``what`` now: it is new, or its pause is over."""
        return what != self._what or self._clock.monotonic() >= self._until

    def failed(self, what: str) -> None:
        """Leave ``what`` alone for the next pause."""
        self._failures = self._failures + 1 if what == self._what else 1
        self._what = what
        self._until = self._clock.monotonic() + min(CAP_S, FIRST_S * 2 ** min(self._failures - 1, 30))

    def succeeded(self) -> None:
        """Forget it."""
        self._what, self._failures = "", 0
