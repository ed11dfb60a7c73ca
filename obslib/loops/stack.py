"""Where a loop stands right now, seen from another thread.

The watchdog's line is only worth waking up for when it says what the loop waits on: the chain of awaits of
a suspended task, or the frames of the thread that is busy.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

__all__ = ["Place"]

_DEEPEST = 24


class Place:
    """The thread, and the task if there is one, in which an iteration began."""

    __slots__ = ("_home", "_task", "_thread")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        try:
            self._task: asyncio.Task[Any] | None = asyncio.current_task()
        except RuntimeError:
            self._task = None
        self._home = None if self._task is None else self._task.get_loop()

    def stack(self) -> str:
        """``file:line function`` per frame, innermost last, at most 24; empty when the place is gone."""
        frames = list(self._awaits()) if self._is_suspended() else list(self._frames())[::-1]
        return "\n".join(frames[-_DEEPEST:])

    def _is_suspended(self) -> bool:
        if self._task is None or self._home is None or self._task.done():
            return False
        return asyncio.current_task(self._home) is not self._task

    def _awaits(self) -> Iterator[str]:
        awaited: Any = None if self._task is None else self._task.get_coro()
        while awaited is not None:
            for kind in ("cr", "gi", "ag"):
                frame = getattr(awaited, f"{kind}_frame", None)
                if frame is not None:
                    yield _line(frame.f_code, frame.f_lineno)
                    awaited = getattr(awaited, f"{kind}_await", None) or getattr(awaited, "gi_yieldfrom", None)
                    break
            else:
                return

    def _frames(self) -> Iterator[str]:
        frame: FrameType | None = sys._current_frames().get(self._thread)
        while frame is not None:
            yield _line(frame.f_code, frame.f_lineno)
            frame = frame.f_back


def _line(code: CodeType, line: int | None) -> str:
    return f"{code.co_filename}:{line or code.co_firstlineno} {code.co_name}"
