"""How much a reader may ask for, and how it is told when that is less than it wants (WLG-12 to WLG-14).

A limit that is hit is always said: as a refusal that names it, or as a marker where lines would have been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from obslib.errors import ErrorClass, LimitExceeded
from obslib.workload.selection import require_time, require_whole

__all__ = ["Limits", "LineRate"]

_SKEW_S = 5.0
"""How far the clock of who asks for 'the last hour' may be behind ours; the window is cut to the limit all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The published limits (platform facts §15). ``retention_seconds`` bounds an operator's window."""

    max_tail_rate_lines_per_second: int = 500
    max_query_window_seconds: int = 3_600
    max_query_lines: int = 10_000
    max_log_streams_per_org: int = 10
    max_log_streams_per_token: int = 5
    retention_seconds: int = 604_800

    def lines(self, wanted: int) -> int:
        """``wanted`` if one answer may hold so many lines, else LimitExceeded; SelectionError for no number of lines."""
        require_whole("the number of lines", wanted, least=0)
        if wanted > self.max_query_lines:
            raise _refused(
                f"{wanted} lines are asked for and limits.max_query_lines is {self.max_query_lines}; ask for fewer,"
                " or for one part of the time after the other",
                "max_query_lines",
            )
        return wanted

    def window(self, since: float | None, until: float | None, *, now: float, is_operator: bool = False) -> float:
        """Where a window begins: at ``since``, by default as far before its end as the limit allows a tenant.

        Raises LimitExceeded for a longer one and SelectionError for a time that is none. ``until`` None means now; an
        operator may ask up to the retention.
        """
        require_time("since", since)
        require_time("until", until)
        end = now if until is None else until
        longest = self.retention_seconds if is_operator else self.max_query_window_seconds
        if since is None:
            return end - min(longest, self.max_query_window_seconds)
        if until is None and longest < end - since <= longest + _SKEW_S:
            return end - longest
        if end - since > longest:
            raise _refused(
                f"the time asked for is {end - since:.0f} s long and limits.max_query_window_seconds is {longest};"
                " ask for one part of it after the other",
                "max_query_window_seconds",
            )
        return since


def _refused(message: str, limit: str) -> LimitExceeded:
    return LimitExceeded(message, limit=limit, error_class=ErrorClass.INVALID_ARGUMENT)


class LineRate:
    """A token bucket that holds one second of ``per_second`` lines.

    Once it has run dry it gives nothing until it is half full, so that a flood becomes blocks of lines with one marker
    between them, and not a marker after every few lines.
    """

    def __init__(self, per_second: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._monotonic = monotonic
        self._tokens = float(per_second)
        self._filled_at = monotonic()
        self._is_dry = False

    def take(self) -> bool:
        """Whether one more line may go out now."""
        now = self._monotonic()
        self._tokens = min(float(self._per_second), self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1.0 or (self._is_dry and self._tokens < self._per_second / 2):
            self._is_dry = True
            return False
        self._is_dry = False
        self._tokens -= 1.0
        return True
