"""What workloads write, counted line by line and resumed exactly where an earlier agent stopped.

The kernel writes each stream of each boot straight to a file, so nothing is lost while no agent runs. The
position moves together with what was counted up to it. The guest init gives the oldest part of a large
file back to the disk (``guest_init.py``); what nobody had read by then is counted as dropped.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from miniplatform.agent.state import ConsolePosition, State

__all__ = ["LINE_LIMIT", "STREAMS", "Consoles", "Counted", "count"]

STREAMS: tuple[Literal["stdout", "stderr"], ...] = ("stdout", "stderr")
LINE_LIMIT = 16 * 1024
"""Bytes of a line that are kept; a longer one is cut there (platform facts §15)."""

_CHUNK = 2**20
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was found: whole lines, bytes, lines longer than the limit, bytes that were gone before they were read."""

    lines: int = 0
    bytes: int = 0
    truncated: int = 0
    dropped: int = 0


def count(chunk: bytes, line_bytes: int) -> tuple[Counted, int]:
    """Count ``chunk``, which goes on after ``line_bytes`` of an unfinished line; also returns that figure at its end."""
    lengths = [len(piece) for piece in chunk.split(b"\n")]
    lengths[0] += line_bytes
    truncated = sum(length > LINE_LIMIT for length in lengths) - (line_bytes > LINE_LIMIT)
    return Counted(lines=len(lengths) - 1, bytes=len(chunk), truncated=truncated), lengths[-1]


class Consoles:
    """The consoles of the boots that run, read as they grow. ``totals`` is safe to read from any thread."""

    def __init__(self, state: State, directory: Callable[[str], Path]) -> None:
        self._state = state
        self._directory = directory
        self._open: set[str] = set()
        self.totals = state.console_totals()

    def open(self, boot_id: str) -> None:
        """Read this boot's console from now on."""
        self._open.add(boot_id)

    async def follow(self) -> None:
        """Read for ever, a little of each console in turn."""
        while True:
            has_more = [self._advance(boot_id) for boot_id in sorted(self._open)]
            await asyncio.sleep(0 if any(has_more) else _PAUSE_S)

    async def finish(self, boot_id: str) -> None:
        """Read a console to its end, now that nobody writes to it; a last line without a newline counts too."""
        has_more = True
        while has_more:
            has_more = self._advance(boot_id)
            await asyncio.sleep(0)
        for stream in STREAMS:
            at = self._state.console(boot_id, stream)
            if at.line_bytes:
                self._keep(boot_id, stream, ConsolePosition(position=at.position), Counted(lines=1))
        self._open.discard(boot_id)

    def _advance(self, boot_id: str) -> bool:
        has_more = [self._read(boot_id, stream) for stream in STREAMS]
        return any(has_more)

    def _read(self, boot_id: str, stream: str) -> bool:
        """Read one chunk; returns whether there is more."""
        at = self._state.console(boot_id, stream)
        path = self._directory(boot_id) / stream
        try:
            size = path.stat().st_size
            if size == at.position:
                return False
            if size < at.position:  # cut off by somebody else: what is there now is new
                at = ConsolePosition()
            with path.open("rb", buffering=0) as console:
                start = _data_from(console.fileno(), at.position, size)
                console.seek(start)
                chunk = console.read(_CHUNK)
                if _data_from(console.fileno(), start, size) != start:
                    return True
        except OSError:  # not there yet, or not readable now
            return False
        dropped = start - at.position
        counted, line_bytes = count(chunk, 0 if dropped else at.line_bytes)
        cut_short = 1 if dropped and at.line_bytes else 0
        self._keep(
            boot_id,
            stream,
            ConsolePosition(position=start + len(chunk), line_bytes=line_bytes),
            Counted(lines=counted.lines + cut_short, bytes=counted.bytes, truncated=counted.truncated, dropped=dropped),
        )
        return start + len(chunk) < size

    def _keep(self, boot_id: str, stream: str, position: ConsolePosition, counted: Counted) -> None:
        self._state.keep_console(
            boot_id,
            stream,
            position,
            {
                f"lines_{stream}": counted.lines,
                "bytes": counted.bytes,
                "truncated": counted.truncated,
                "dropped": counted.dropped,
            },
        )
        self.totals = self._state.console_totals()


def _data_from(console: int, position: int, size: int) -> int:
    """Where the first byte at or after ``position`` is that the guest init has not given back."""
    try:
        return os.lseek(console, position, os.SEEK_DATA)
    except OSError:
        return size
