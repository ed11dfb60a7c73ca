"""One access on record: the grant that opens the data, the count of what was returned, and the end of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from obslib.access.grant import Grant, Lease

__all__ = ["Opening", "Reading", "RequestInfo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """Where an access comes from, for its record; what is not known stays empty."""

    request_id: str = ""
    source_ip: str = ""
    user_agent: str = ""
    trace_id: str = ""


class Reading:
    """An access whose record has been written. Made by an ``Auditor``; its grant dies with it."""

    def __init__(self, grant: Grant, lease: Lease, finish: Callable[[int, BaseException | None], Awaitable[None]]) -> None:
        self.grant = grant
        self._lines = 0
        self._lease = lease
        self._finish = finish

    def __repr__(self) -> str:
        return f"<Reading {self._lease.record_id}: {self.lines} lines>"

    @property
    def lines(self) -> int:
        """How many were returned so far."""
        return self._lines

    def count(self, lines: int) -> None:
        """Add to the lines that were returned; call it before they are sent, so that the record never says too few.

        Raises TypeError or ValueError for what is no number of lines.
        """
        if not isinstance(lines, int) or isinstance(lines, bool):
            raise TypeError(f"lines that were returned are counted by an int, not by {lines!r}")
        if lines < 0:
            raise ValueError(f"{lines!r} lines cannot have been returned; a record never takes back what it told")
        self._lines += lines

    async def close(self, error: BaseException | None = None) -> None:
        """End the grant and write the record of what was returned; never raises on its own, and twice is once.

        ``error`` is what ended the reading, None when it came to its end. A record that cannot be written is counted
        and logged: what was read stays on record as begun.
        """
        if not self._lease.is_closed:
            self._lease.is_closed = True
            await self._finish(self.lines, error)


class Opening:
    """A reading about to begin: ``async with`` opens and closes it, ``await`` opens it for somebody else to close."""

    def __init__(self, opening: Coroutine[Any, Any, Reading]) -> None:
        self._opening = opening
        self._reading: Reading | None = None

    def __await__(self) -> Generator[Any, Any, Reading]:
        return self._opening.__await__()

    async def __aenter__(self) -> Reading:
        self._reading = await self._opening
        return self._reading

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            await self._reading.close(error)
