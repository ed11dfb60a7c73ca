"""One entry as a row, with a checksum over everything it says, so that a damaged one is known and never shown.

The checksum also covers the stamp and so the org: a row that strays into another org's file is damaged there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from obslib.wire import LogEntry, LogGap
from obslib.workload.stored import Stamp, StoredEntry

__all__ = ["COLUMNS", "Boot", "Keys", "micros", "row_of", "seed_of", "stored_of"]

COLUMNS = "position, env, instance, boot, seq, at, ts, flags, line, gap, checksum"
"""The order of a row's values, here and in every statement."""

Keys = tuple[int, int, int]
"""The numbers that stand for env, instance and boot in a file."""

Boot = tuple[Stamp, str, str, int]
"""Stamp, instance id and boot id of a boot, and the seed of its rows' checksums."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STDERR, _TRUNCATED = 1, 2
_HEAD = struct.Struct("<10q")


def micros(moment: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time, exactly."""
    return (datetime.fromisoformat(moment) - _EPOCH) // _MICROSECOND


def seed_of(stamp: Stamp, instance_id: str, boot_id: str) -> int:
    """Where the checksums of a boot's rows start."""
    parts = (stamp.org_id, stamp.app_id, stamp.env_id, stamp.process_type, stamp.node_id, instance_id, boot_id)
    return zlib.crc32("\0".join(parts).encode())


def row_of(position: int, keys: Keys, at: int, ts: int, entry: LogEntry, seed: int) -> tuple[Any, ...]:
    """The row that keeps ``entry``; ``ts`` is the entry's own time in microseconds."""
    flags = (_STDERR if entry.stream == "stderr" else 0) | (_TRUNCATED if entry.truncated else 0)
    line, gap = entry.line, entry.gap.model_dump_json().encode() if entry.gap else b""
    numbers = (position, *keys, entry.seq, at, ts, flags)
    return (*numbers, line, gap, _checksum(numbers, line, gap, seed))


def stored_of(row: Sequence[Any], boot: Boot) -> StoredEntry | None:
    """The entry in ``row``; ``None`` when it is not what was written."""
    stamp, instance_id, boot_id, seed = boot
    *numbers, line, gap, checksum = row
    try:
        if _checksum(numbers, line, gap, seed) != checksum:
            return None
    except (struct.error, TypeError):  # a flipped bit can change a value's type, too
        return None
    position, _, _, _, seq, _, ts, flags = numbers
    entry = LogEntry.model_construct(
        instance_id=instance_id,
        boot_id=boot_id,
        seq=seq,
        ts=(_EPOCH + ts * _MICROSECOND).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        stream="stderr" if flags & _STDERR else "stdout",
        line=line,
        truncated=bool(flags & _TRUNCATED),
        gap=LogGap.model_validate_json(gap) if gap else None,
    )
    return StoredEntry(position, stamp, entry)


def _checksum(numbers: Sequence[Any], line: bytes, gap: bytes, seed: int) -> int:
    head = _HEAD.pack(*numbers, len(line), len(gap))
    return zlib.crc32(gap, zlib.crc32(line, zlib.crc32(head, seed)))
