"""What the spool gives up when it is full: the oldest entries, each run of them replaced by one gap.

Entries that were sent are never touched: whether the other side has them is not known before it answers, and a
gap over lines that are there, or half there, would be a lie.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

__all__ = ["GivenUp", "give_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """What one boot lost: rows freed in the file, lines among them that count as dropped, bytes of those lines."""

    boot: int
    rows: int
    lines: int
    bytes: int


def give_up(db: sqlite3.Connection, instance_id: str, *, rows: int, bytes_over: int) -> list[GivenUp]:
    """Free at least ``rows`` rows and ``bytes_over`` bytes of lines of the instance, as far as it has any to give."""
    done: list[GivenUp] = []
    boots = db.execute("SELECT boot, sent_seq FROM boots WHERE instance_id = ? ORDER BY boot", (instance_id,)).fetchall()
    for boot, sent_seq in boots:
        if rows <= 0 and bytes_over <= 0:
            break
        given_up = _oldest_run(db, boot, sent_seq, rows, bytes_over)
        if given_up is not None:
            done.append(given_up)
            rows, bytes_over = rows - given_up.rows, bytes_over - given_up.bytes
    return done


def _oldest_run(db: sqlite3.Connection, boot: int, sent_seq: int, rows: int, bytes_over: int) -> GivenUp | None:
    """Replace the oldest unsent entries by one gap, and the gaps they touch with them: no two markers side by side."""
    seqs: list[int] = []
    lines, freed, gap_bytes, end, is_exact = 0, 0, 0, 0, True
    unsent = db.execute(
        "SELECT seq, reason IS NULL, lines, length(line), bytes, is_exact FROM entries WHERE boot = ? AND seq > ? ORDER BY seq",
        (boot, sent_seq),
    )
    for seq, is_line, covers, length, missing, row_is_exact in unsent:
        if is_line and lines and len(seqs) > rows and freed >= bytes_over:
            break
        seqs.append(seq)
        end = seq + covers
        lines, freed = lines + is_line, freed + length
        gap_bytes += length + missing
        is_exact = is_exact and bool(row_is_exact)
    unsent.close()
    if not lines:
        return None
    begin = seqs[0]
    db.execute(
        "UPDATE entries SET line = x'', truncated = 0, reason = 'buffer_full', lines = ?, bytes = ?, is_exact = ?"
        " WHERE boot = ? AND seq = ?",
        (end - begin, gap_bytes, is_exact, boot, begin),
    )
    db.execute("DELETE FROM entries WHERE boot = ? AND seq > ? AND seq < ?", (boot, begin, end))
    return GivenUp(boot=boot, rows=len(seqs) - 1, lines=lines, bytes=freed)
