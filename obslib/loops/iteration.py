"""One iteration of a loop: its cycle id, log context, span and result.

Everything a line written inside must carry is bound while it is open (STN-06). It is opened by whoever
drives the loop and closed exactly once: by its ``with`` block, by the next turn of the loop, or, when its
consumer walked away, as abandoned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from obslib import context
from obslib.loops.counted import whole
from obslib.loops.cursor import CursorPosition
from obslib.loops.instruments import as_failure
from obslib.loops.scoreboard import FAILURE, SUCCESS
from obslib.loops.seams import OpenSpan
from obslib.loops.stack import Place

if TYPE_CHECKING:
    from obslib.loops.bound_loop import BoundLoop

__all__ = ["Iteration"]


class Iteration:
    """What the body of a loop talks to. Report from the task or thread that runs the body.

    As a context manager it closes the iteration. One that a loop drives contains an ``Exception``, which is then
    logged, counted and followed by a backoff; one made on demand lets it propagate after recording it.
    Cancellation always propagates and is no failure. No report raises: a number that is none, or an error that is no
    exception, is left out and counted by the guard.
    """

    __slots__ = (
        "_backoff_s", "_is_driven", "_loop", "_place", "_put_aside", "_result", "_scope", "_span", "_started", "_told",
        "attempt", "cycle_id", "is_open", "request_id", "seconds",
    )  # fmt: skip

    def __init__(self, loop: BoundLoop, span: OpenSpan, *, is_driven: bool) -> None:
        self._loop = loop
        self._span = span
        self._is_driven = is_driven
        self._result = ""
        self._put_aside = 0
        self._backoff_s: float | None = None
        self._told: BaseException | None = None
        self.attempt = 1
        self.cycle_id = ""
        self.request_id = ""
        self.is_open = False
        self.seconds = 0.0

    @property
    def cursor(self) -> CursorPosition:
        """How far the loop has read; moving it is progress."""
        return self._loop.cursor

    def set(self, **attributes: Any) -> None:
        """Attach attributes to the iteration's span."""
        self._span.set(**attributes)

    def link(self, traceparents: Sequence[str]) -> None:
        """Point the iteration's span at the traces whose work it has found to do."""
        self._span.link_to(traceparents)

    def pending(self, pieces: int) -> None:
        """Say how much work waits. Anything above 0 that makes no progress is what a watchdog calls wedged."""
        waiting = whole(pieces, self._loop.instruments.guard, "pending()")
        if waiting is not None:
            self._loop.activity.holds(waiting)

    def progress(self, pieces: int = 1) -> None:
        """Say that ``pieces`` of the work are done; fewer than 0 are none."""
        done = whole(pieces, self._loop.instruments.guard, "progress()")
        if done is not None:
            self._loop.activity.moved(max(0, done))

    def retry_later(self, error: BaseException | None = None, *, reason: str = "") -> None:
        """Put one piece of work aside after it failed: counted and logged, but the iteration goes on and may succeed."""
        self._loop.activity.put_aside()
        self._put_aside += 1
        self._tell(self._failure(error, reason), reason)

    def fail(self, error: BaseException | None = None, *, reason: str = "") -> None:
        """Make this iteration a failure without raising: counted, logged, and followed by a backoff."""
        found = self._failure(error, reason)
        self._result = FAILURE
        self._tell(found, reason)
        self._span.fail(found)

    def outcome(self, result: str) -> None:
        """Give the run a result of its own, such as ``conflict``: neither success nor failure for the loop's health.

        Families that do not list the result count a success.
        """
        self._result = result

    def conflict(self) -> None:
        """The same as ``outcome("conflict")``."""
        self.outcome("conflict")

    def wake(self) -> None:
        """Ask for another iteration right after this one."""
        self._loop.wake()

    @property
    def place(self) -> Place:
        """Where it runs, for the watchdog."""
        return self._place

    @property
    def has_failed(self) -> bool:
        """Whether it is a failure already."""
        return self._result == FAILURE

    @property
    def retry_in_s(self) -> float | None:
        """The backoff this iteration asks for, in seconds, or ``None`` when the loop's own pace is right."""
        return self._backoff() if self.has_failed or (self._put_aside and self._loop.period_s is None) else None

    def open(self) -> None:
        """Bind the log context and the span; for whoever drives the loop."""
        parts = self._loop.instruments
        minted = parts.ids.ulid()
        self.cycle_id = f"cyc_{minted}"
        fields = {"loop": self._loop.name, "cycle_id": self.cycle_id}
        ambient = context.current()
        self._scope: AbstractContextManager[None]
        if ambient.request_id and not self._is_driven:
            self.request_id = ambient.request_id
            self._scope = context.bound(**fields)
        else:
            self.request_id = f"req_{minted}"
            self._scope = context.scope(self.request_id, **fields)
        self.attempt = self._loop.history.setbacks + 1
        self._place = Place()
        self._scope.__enter__()
        self._span.__enter__()
        self.is_open = True
        self._started = parts.clock.monotonic()
        self._loop.entered(self)

    def abandon(self) -> None:
        """Close it for a body that was left early; neither success nor failure unless it said so before."""
        self._close(None, is_complete=False)

    def complete(self) -> None:
        """Close it after its body has run to the end."""
        self._close(None, is_complete=True)

    def __enter__(self) -> Self:
        if not self.is_open:
            self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if isinstance(error, Exception) and self._result in ("", SUCCESS, FAILURE):
            self.fail(error)
        self._close(error, is_complete=error is None or isinstance(error, Exception))
        return self._is_driven and isinstance(error, Exception)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return self.__exit__(kind, error, traceback)

    def _close(self, error: BaseException | None, *, is_complete: bool) -> None:
        if not self.is_open:
            return
        self.is_open = False
        parts = self._loop.instruments
        self.seconds = max(0.0, parts.clock.monotonic() - self._started)
        through = None if isinstance(error, Exception) else error
        try:
            try:
                self._loop.left(self, self._result or (SUCCESS if is_complete else ""), put_aside=self._put_aside > 0)
            finally:
                self._span.__exit__(None if through is None else type(through), through, None)
                self._scope.__exit__(None, None, None)
        except Exception as broken:
            parts.guard.note("loops", broken)

    def _failure(self, error: object, reason: str) -> BaseException:
        return as_failure(error, reason, self._loop.instruments.guard)

    def _tell(self, error: BaseException, reason: str) -> None:
        if error is self._told:
            return
        self._told = error
        with self._loop.instruments.guard.quiet("loops"):
            self._loop.tell(error, {**self._facts(), "reason": reason})

    def _facts(self) -> Mapping[str, object]:
        return {
            "loop": self._loop.name,
            "cycle_id": self.cycle_id,
            "attempt": self.attempt,
            "backoff_seconds": round(self._pause(), 3),
            "cursor_event_id": self._loop.cursor.position,
        }

    def _pause(self) -> float:
        if not self._is_driven:
            return 0.0
        return float(self.retry_in_s if self.retry_in_s is not None else self._loop.period_s or 0.0)

    def _backoff(self) -> float:
        if self._backoff_s is None:
            self._backoff_s = self._loop.backoff.pause_s(self.attempt)
        return self._backoff_s
