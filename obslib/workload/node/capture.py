"""Reads console files as they grow, from where the last look ended, whoever took it.

Each stream of each boot is a file that the workload appends to, agent or no agent. Whoever owns the file may give
its oldest part back to the disk (a hole): what nobody had read by then is a gap, its bytes known, its lines not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import get_args

from obslib.clock import Clock
from obslib.wire import LogGap
from obslib.wire.workload_log import Stream
from obslib.workload.node.lines import Found, find_lines
from obslib.workload.node.look import Look, Place, Standing
from obslib.workload.node.spool import Spool
from obslib.workload.node.spool_file import SpoolUnavailable

__all__ = ["Capture", "Rest"]

_CHUNK = 2**20
_STREAMS: tuple[Stream, ...] = get_args(Stream)


class Rest(IntEnum):
    """What is left after a look, and when to look again."""

    NOTHING = 0
    LATER = 1
    """There is more, but the instance is beyond its rate or the spool has little room: after a pause."""
    AT_ONCE = 2


class Capture:
    """Captures the consoles of one node into its spool. ``directory`` holds the files ``stdout`` and ``stderr`` of a boot.

    ``look`` and ``finish`` raise SpoolUnavailable when the spool cannot keep anything now: nothing has moved, look again later.
    """

    def __init__(self, spool: Spool, directory: Callable[[str], Path], *, clock: Clock) -> None:
        self._spool = spool
        self._directory = directory
        self._clock = clock
        self._instances: dict[str, str] = {}
        self._unenrolled: set[str] = set()
        self._seen: dict[tuple[str, Stream], int] = {}
        self._caught_up_at: dict[str, float] = {}

    @property
    def boots(self) -> list[str]:
        """The boots that are captured."""
        return sorted(self._instances)

    def open(self, instance_id: str, boot_id: str, *, is_new: bool) -> None:
        """Capture this boot from now on. Open a new one before it can write anything.

        One that is not new goes on where it was left; if the spool has lost its memory of it, with a gap.
        """
        self._instances[boot_id] = instance_id
        if is_new:
            self._unenrolled.add(boot_id)
            with suppress(SpoolUnavailable):  # the first look tries again
                self._standing(boot_id, "stdout")

    def look(self, boot_id: str) -> Rest:
        """Read a little of each stream. An instance that writes without end costs the agent a bounded share of its time.

        A backlog is read as fast as the spool has room for it: it is safe where it is, and would only push out lines.
        """
        rest = max([self._read(boot_id, stream, is_last=False) for stream in _STREAMS])
        if rest is Rest.NOTHING:
            self._caught_up_at[boot_id] = self._clock.now()
        return rest

    def finish(self, boot_id: str) -> Rest:
        """Likewise, now that nobody writes any more; with nothing left, the boot is captured to its end."""
        rest = max([self._read(boot_id, stream, is_last=True) for stream in _STREAMS])
        if rest:
            return rest
        self._spool.finish(boot_id)
        self._instances.pop(boot_id, None)
        self._caught_up_at.pop(boot_id, None)
        for stream in _STREAMS:
            self._seen.pop((boot_id, stream), None)
        return Rest.NOTHING

    def _standing(self, boot_id: str, stream: Stream) -> Standing:
        """Where to go on from; a boot the spool does not know is enrolled first."""
        standing = self._spool.standing(boot_id, stream)
        if standing is None:
            is_lost = boot_id not in self._unenrolled
            written = {name: _size(self._directory(boot_id) / name) for name in _STREAMS} if is_lost else {}
            self._spool.enroll(self._instances[boot_id], boot_id, written)
            standing = self._spool.standing(boot_id, stream)
        if standing is None:
            raise LookupError(f"boot {boot_id!r} is captured although it was forgotten; open a boot only while it is retained")
        self._unenrolled.discard(boot_id)
        return standing

    def _read(self, boot_id: str, stream: Stream, *, is_last: bool) -> Rest:
        """Read one chunk."""
        size = _size(self._directory(boot_id) / stream)
        if not is_last and size == self._seen.get((boot_id, stream), 0):
            return Rest.NOTHING
        standing = self._standing(boot_id, stream)
        place = standing.place if standing.place.position <= size else Place()  # cut off by somebody else: all there is is new
        if size == place.position:
            return Rest.NOTHING
        try:
            with (self._directory(boot_id) / stream).open("rb", buffering=0) as console:
                start = _data_from(console.fileno(), place.position, size)
                console.seek(start)
                chunk = console.read(min(_CHUNK, size - start))
                if _data_from(console.fileno(), start, size) != start:
                    return Rest.AT_ONCE  # given back while it was read
        except OSError:  # not readable now
            return Rest.NOTHING
        has_end = start + len(chunk) == size
        standing.allowance.refill(self._clock.now(), caught_up_at=self._caught_up_at.get(boot_id))
        gone = start - place.position
        found = find_lines(
            chunk, is_skipping=place.is_skipping and not gone, is_last=is_last and has_end, most=standing.room,
            admits=standing.allowance.admits,
        )  # fmt: skip
        if gone or found.consumed:
            self._spool.keep(boot_id, _look(stream, start, gone, found, standing.allowance.tokens))
        if found.is_full:
            return Rest.LATER
        if has_end:
            self._seen[boot_id, stream] = size
            return Rest.NOTHING
        return Rest.LATER if found.surplus_lines and not is_last else Rest.AT_ONCE


def _look(stream: Stream, start: int, gone: int, found: Found, tokens: float) -> Look:
    """What was found in a chunk that begins at ``start``, after ``gone`` bytes that nobody can read any more."""
    surplus = (
        LogGap(reason="rate_limited", lines=found.surplus_lines, bytes=found.surplus_bytes) if found.surplus_lines else None
    )
    return Look(
        stream=stream,
        place=Place(position=start + found.consumed, is_skipping=found.is_skipping),
        tokens=tokens,
        gone=LogGap(reason="console_full", lines=1, bytes=gone, is_exact=False) if gone else None,
        lines=found.lines,
        surplus=surplus,
        bytes=found.consumed,
    )


def _size(console: Path) -> int:
    try:
        return console.stat().st_size
    except OSError:  # not there yet, or not readable now
        return 0


def _data_from(console: int, position: int, size: int) -> int:
    """Where the first byte at or after ``position`` is that has not been given back."""
    try:
        return min(os.lseek(console, position, os.SEEK_DATA), size)
    except OSError:
        return size
