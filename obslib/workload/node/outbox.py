"""Which entries are under way: chosen fairly, written down before they are sent, let go once they are acknowledged.

At most one batch is under way. After a kill or a lost answer the same entries are sent again in the same form,
so that the other side recognises them by their numbers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from obslib.wire import LogEntry, LogGap
from obslib.wire.workload_log import MAX_ENTRIES
from obslib.workload.node.seal import check, line_seal

__all__ = ["BATCH_BYTES", "choose", "under_way"]

BATCH_BYTES = 512 * 1024
"""Bytes of lines in one batch: in base64, with their ids, they stay below a request of 1 MiB."""

_GAP_PATIENCE_S = 2.0


def choose(db: sqlite3.Connection, boots: Sequence[int], now: float) -> None:
    """Mark what is sent next: every one of ``boots`` gets an equal share, and leaves what it does not need to those after it.

    Give the boots with the fewest entries first.
    """
    room, size = MAX_ENTRIES, BATCH_BYTES
    for place, boot in enumerate(boots):
        others = len(boots) - place
        last_seq, entries, used = _share(db, boot, now, max(2, room // others), max(size // others, 1))
        if entries > room or used > size:
            continue
        if entries:
            db.execute("UPDATE boots SET sent_seq = ? WHERE boot = ?", (last_seq, boot))
            room, size = room - entries, size - used


def _share(db: sqlite3.Connection, boot: int, now: float, most: int, size: int) -> tuple[int, int, int]:
    """The last number, the entries and the bytes of the boot's next share; no entries when nothing can go yet.

    A gap goes together with the line that ends it, so that it has stopped growing; one that nothing follows
    waits for a moment, unless the boot is over.
    """
    rejected_from, is_over = db.execute("SELECT rejected_from, is_over FROM boots WHERE boot = ?", (boot,)).fetchone()
    found = db.execute(
        "SELECT seq, reason IS NOT NULL, length(line), ts FROM entries WHERE boot = ? ORDER BY seq LIMIT ?", (boot, most + 1)
    ).fetchall()
    taken, used = 0, 0
    most -= rejected_from is not None
    while taken < min(len(found), most) and (not taken or used + found[taken][2] <= size):
        used += found[taken][2]
        taken += 1
    if taken and found[taken - 1][1]:
        if taken < len(found):
            taken, used = (taken - 1, used) if taken > 1 else (2, used + found[1][2])
        elif not is_over and 0 <= now - found[-1][3] < _GAP_PATIENCE_S:
            taken -= 1
    return (found[taken - 1][0], taken + (rejected_from is not None), used) if taken else (0, 0, 0)


def under_way(db: sqlite3.Connection) -> list[LogEntry]:
    """The marked entries, of each boot in the order of their numbers, led by the gap of what was rejected before."""
    rows = db.execute(
        "SELECT b.instance_id, b.boot_id, b.rejected_from, e.seq, e.ts, e.stream, e.line, e.truncated, e.checksum, e.reason,"
        " e.lines, e.bytes, e.is_exact FROM boots b JOIN entries e ON e.boot = b.boot AND e.seq <= b.sent_seq"
        " ORDER BY b.boot, e.seq"
    )
    entries: list[LogEntry] = []
    for instance_id, boot_id, rejected_from, seq, ts, stream, line, truncated, seal, reason, lines, size, is_exact in rows:
        if reason is None:
            check("a line", seal, line_seal(instance_id, boot_id, seq, ts, stream, line))
        named = {"instance_id": instance_id, "boot_id": boot_id, "ts": ts, "stream": stream}
        is_first = not entries or entries[-1].boot_id != boot_id
        if is_first and rejected_from is not None:
            gap = LogGap(reason="rejected", lines=seq - rejected_from)
            entries.append(LogEntry(seq=rejected_from, gap=gap, **named))
        missing = LogGap(reason=reason, lines=lines, bytes=size, is_exact=bool(is_exact)) if reason else None
        entries.append(LogEntry(seq=seq, line=line, truncated=bool(truncated), gap=missing, **named))
    return entries
