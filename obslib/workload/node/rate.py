"""How fast one instance may write: a token bucket that is fair to whatever was written while nobody looked."""

from __future__ import annotations

from obslib.workload.node.bounds import Bounds

__all__ = ["Allowance"]

_TOKEN_BYTES = 1024


class Allowance:
    """Tokens of one instance as of ``at`` (Unix seconds). At first there is a full burst."""

    def __init__(self, bounds: Bounds, *, tokens: float | None, at: float) -> None:
        self.tokens = bounds.burst if tokens is None else tokens
        self.at = at
        self._bounds = bounds

    def refill(self, now: float, *, caught_up_at: float | None) -> None:
        """Add what has come in since ``at``.

        ``caught_up_at`` is when the console was last found read to its end: until then no more than the burst was saved up.
        Whatever was found later was written later, and that time counts in full, were it the hour in which no agent ran.
        A clock set back adds nothing.
        """
        if caught_up_at is not None and caught_up_at >= self.at:
            self.tokens = min(self.tokens + (caught_up_at - self.at) * self._bounds.tokens_per_second, self._bounds.burst)
            self.at = caught_up_at
        self.tokens += max(0.0, now - self.at) * self._bounds.tokens_per_second
        self.at = now

    def admits(self, length: int) -> bool:
        """Pay for a line of ``length`` bytes, if there are tokens for it."""
        cost = max(1, -(-length // _TOKEN_BYTES))
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True
