"""What became of a loop's past iterations: how many failed in a row, what the last error was, when it last succeeded."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.clock import Clock
from obslib.errors import ErrorClass

__all__ = ["History", "LastError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The latest error, without its message: that may hold a secret, and is in the log line."""

    at: float
    error_class: ErrorClass
    type: str


class History:
    """The past of one loop. ``setbacks`` counts iterations in a row that failed or put work aside."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.runs = 0
        self.failures = 0
        self.setbacks = 0
        self.last_success: float | None = None
        self.last_error: LastError | None = None

    def erred(self, error: BaseException, error_class: ErrorClass) -> None:
        """An iteration, or a piece of its work, failed with ``error``."""
        self.last_error = LastError(at=self._clock.now(), error_class=error_class, type=type(error).__name__)

    def failed(self) -> None:
        """An iteration failed."""
        self.runs += 1
        self.failures += 1
        self.setbacks += 1

    def succeeded(self, *, put_aside: bool) -> None:
        """An iteration succeeded, possibly leaving some work for later."""
        self.runs += 1
        self.failures = 0
        self.setbacks = self.setbacks + 1 if put_aside else 0
        self.last_success = self._clock.now()

    def passed(self) -> None:
        """An iteration ended neither way; what was said of the ones before still stands."""
        self.runs += 1
