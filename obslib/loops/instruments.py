"""Everything a loop or an operation writes to, handed around as one value."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.classify import Classifier
from obslib.clock import Clock
from obslib.guard import Guard
from obslib.ids import IdSource
from obslib.loops.seams import Families, Record, Spans

__all__ = ["Instruments", "WorkFailed", "as_failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """The signals and sources of one component."""

    log: Record
    metrics: Families
    tracing: Spans
    classifier: Classifier
    clock: Clock
    ids: IdSource
    guard: Guard


class WorkFailed(Exception):
    """Stands in for the exception when work is reported failed by its reason alone."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "failed without a reason")
        self.reason = reason


def as_failure(error: object, reason: str, guard: Guard) -> BaseException:
    """``error``, or a ``WorkFailed`` in its place when there is none; one that is no exception is counted by ``guard``."""
    if isinstance(error, BaseException):
        return error
    if error is not None:
        guard.note("loops", f"a failure takes an exception, not {type(error).__name__}")
    return WorkFailed(reason)
