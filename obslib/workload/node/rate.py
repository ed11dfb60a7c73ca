"""How fast one instance may write: a token bucket that is fair to whatever was written while nobody looked."""

from __future__ import annotations

from obslib.workload.node.bounds import Bounds

__all__ = ["Allowance"]

_TOKEN_BYTES = 1024


class Allowance:
    """Tokens of one instance as of ``at`` (Unix seconds); ``None`` is the first moment, with a full burst."""

    def __init__(self, bounds: Bounds, *, tokens: float | None = None, at: float | None = None) -> None:
        self.tokens = bounds.burst if tokens is None else tokens
        self.at = at
        self._bounds = bounds

    def refill(self, now: float) -> None:
        """Add what has come in since the console was last read.

        The burst bounds what was saved before that; the time since then counts in full, since the lines found now
        were written in it, were it the hour in which no agent ran. A clock set back adds nothing.
        """
        elapsed = 0.0 if self.at is None else max(0.0, now - self.at)
        self.tokens = min(self.tokens, self._bounds.burst) + elapsed * self._bounds.tokens_per_second
        self.at = now

    def admits(self, length: int) -> bool:
        """Pay for a line of ``length`` bytes, if there are tokens for it."""
        cost = max(1, -(-length // _TOKEN_BYTES))
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True
