"""The rule that a telemetry call never raises into the component, in one place.

What is swallowed is counted under ``telemetry_guard_errors_total{kind}`` and the last error of each
kind is kept for the debug endpoint, so that quiet does not mean hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from obslib.catalog.common import TELEMETRY_GUARD_ERRORS
from obslib.tally import Tally

__all__ = ["Guard", "GuardKind"]

GuardKind = Literal["logs", "metrics", "traces", "health", "loops", "invalid_id", "undeclared_field", "no_exception"]


class Guard:
    """Counts what telemetry could not do."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.last: dict[GuardKind, str] = {}

    def note(self, kind: GuardKind, detail: object) -> None:
        """Count one failure; ``detail`` must be free of secrets, it is shown on the debug endpoint."""
        self._tally.cell(TELEMETRY_GUARD_ERRORS, kind=kind).add()
        self.last[kind] = type(detail).__name__ if isinstance(detail, BaseException) else str(detail)[:200]

    @contextmanager
    def quiet(self, kind: GuardKind) -> Iterator[None]:
        """Swallow and count any ``Exception``; cancellation and exit pass through."""
        try:
            yield
        except Exception as error:
            self.note(kind, error)
