"""One piece of work: from one declaration a span, a duration, an outcome with its reason, and a failure line."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self

from obslib.catalog import common
from obslib.catalog.signals import Operation
from obslib.loops.instruments import Instruments, as_failure
from obslib.loops.scoreboard import FAILURE, SUCCESS, Scoreboard
from obslib.loops.seams import BoundSpan, OpenSpan

__all__ = ["BoundOperation", "Run"]

P = ParamSpec("P")


class Run:
    """One run of an operation. After its block: ``ok``, ``error``, ``reason`` and ``seconds``.

    Cancellation propagates, leaves ``ok`` false and is counted nowhere.
    """

    __slots__ = ("_is_marked", "_operation", "_span", "_started", "error", "ok", "reason", "seconds")

    def __init__(self, operation: BoundOperation[...], span: OpenSpan) -> None:
        self._operation = operation
        self._span = span
        self._started = 0.0
        self._is_marked = False
        self.ok = False
        self.error: BaseException | None = None
        self.reason = ""
        self.seconds = 0.0

    def set(self, **attributes: Any) -> None:
        """Attach attributes to the run's span."""
        self._span.set(**attributes)

    def fail(self, reason: object = "", error: BaseException | None = None) -> None:
        """Make the run a failure without raising; a reason outside the operation's set becomes its fallback."""
        self._is_marked = True
        self.reason = self._operation.fold(reason)
        self.error = as_failure(error, self.reason, self._operation.instruments.guard)
        self._span.fail(self.error)

    def __enter__(self) -> Self:
        self._span.__enter__()
        self._started = self._operation.instruments.clock.monotonic()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        parts = self._operation.instruments
        self.seconds = max(0.0, parts.clock.monotonic() - self._started)
        is_contained = isinstance(error, Exception)
        if isinstance(error, Exception) and not self._is_marked:
            self.fail(self._operation.reason_of(error), error)
        if error is None or is_contained:
            self.ok = not self._is_marked
            with parts.guard.quiet("loops"):
                self._operation.record(self)
        through = None if is_contained else error
        with parts.guard.quiet("loops"):
            self._span.__exit__(None if through is None else type(through), through, None)
        return is_contained and not self._operation.is_reraising


class BoundOperation(Generic[P]):
    """A declared operation: ``with op(**attributes) as run:`` runs it once.

    An ``Exception`` is contained, so that the result can be read after the block; ``reraising`` lets it through
    after recording it. Its ``reason`` attribute, if any, is folded into the operation's reasons.
    """

    def __init__(
        self,
        declaration: Operation[P],
        instruments: Instruments,
        span: BoundSpan[P],
        board: Scoreboard | None = None,
        *,
        is_reraising: bool = False,
    ) -> None:
        self.declaration = declaration
        self.instruments = instruments
        self.is_reraising = is_reraising
        self._span = span
        families = [family for family in (declaration.duration, *declaration.outcomes) if family is not None]
        self._board = board or Scoreboard(instruments.metrics, families)
        self._failed = declaration.failed or common.OPERATION_FAILED
        self._failed_fields = frozenset(field.name for field in self._failed.fields)

    def __call__(self, *args: P.args, **attributes: P.kwargs) -> Run:
        """One run, for ``with``; the keywords are the span's attributes."""
        return Run(self, self._span(*args, **attributes))

    def under(self, parent: str) -> BoundOperation[P]:
        """The same operation below a remote parent given by its traceparent; a bad one begins a new trace."""
        return self._with(self._span.under(parent))

    def linked(self, traceparents: Sequence[str]) -> BoundOperation[P]:
        """The same operation, linked to the traces that caused it."""
        return self._with(self._span.linked(traceparents))

    @property
    def reraising(self) -> BoundOperation[P]:
        """The same operation, letting exceptions propagate after they were recorded."""
        return self._with(self._span, is_reraising=True)

    def fold(self, reason: object) -> str:
        """``reason`` as the operation's reasons know it; as it is when it declares none."""
        reasons = self.declaration.reasons
        with self.instruments.guard.quiet("loops"):
            return str(reason) if reasons is None else reasons.fold(reason)
        return "" if reasons is None else reasons.fallback

    def reason_of(self, error: BaseException) -> object:
        """The exception's own ``reason``; none when it has none, or when asking for it raises."""
        with self.instruments.guard.quiet("loops"):
            return getattr(error, "reason", "")
        return ""

    def record(self, run: Run) -> None:
        """Write a finished run everywhere it is declared to show."""
        self._board.run(run.seconds, SUCCESS if run.ok else FAILURE, run.reason)
        if run.error is None:
            return
        self._board.failure(self.instruments.classifier.error_class(run.error), run.reason)
        facts = {
            "operation": self.declaration.name,
            "duration_seconds": round(run.seconds, 6),
            "reason": run.reason,
        }
        declared = {name: value for name, value in facts.items() if name in self._failed_fields}
        self.instruments.log.failure(self._failed, run.error, **declared)

    def _with(self, span: BoundSpan[P], *, is_reraising: bool | None = None) -> BoundOperation[P]:
        reraising = self.is_reraising if is_reraising is None else is_reraising
        return BoundOperation(self.declaration, self.instruments, span, self._board, is_reraising=reraising)
