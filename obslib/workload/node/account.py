"""What waits of each boot, and what became of every line so far: the spool's figures, beside the file and in it.

They change with the transaction that changes the lines. After anything went wrong they are read from the file again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import get_args

from obslib.wire.workload_log import LossReason, Stream
from obslib.workload.node.giving_up import GivenUp
from obslib.workload.node.totals import LogTotals

__all__ = ["Account", "Held"]

_ROW_BYTES = 100


@dataclass(slots=True)
class Held:
    """What waits of one boot: rows in the file, lines among them, bytes of those."""

    instance_id: str
    rows: int = 0
    lines: int = 0
    bytes: int = 0

    @property
    def size(self) -> int:
        """Bytes that count against the bound of the spool."""
        return self.bytes + self.rows * _ROW_BYTES


class Account:
    """The figures of one spool. ``losses`` are (instance, reason, lines) of the transaction under way."""

    def __init__(self) -> None:
        self.held: dict[int, Held] = {}
        self.losses: list[tuple[str, LossReason, int]] = []
        self.failed_lines = 0
        self._counts: Counter[str] = Counter()

    def recall(self, db: sqlite3.Connection) -> None:
        """Read everything from the file."""
        self._counts = Counter(dict(db.execute("SELECT name, total FROM totals")))
        self.held = {
            boot: Held(*held)
            for boot, *held in db.execute(
                "SELECT boot, instance_id, count(*), sum(reason IS NULL), sum(length(line))"
                " FROM entries JOIN boots USING (boot) GROUP BY boot"
            )
        }

    def boots(self) -> list[int]:
        """The boots of which anything waits, those with the fewest rows first."""
        return sorted(self.held, key=lambda boot: self.held[boot].rows)

    def rows(self, instance_id: str) -> int:
        """Rows of an instance, all its boots together."""
        return sum(held.rows for held in self.held.values() if held.instance_id == instance_id)

    def size(self) -> int:
        """Bytes of everything that waits."""
        return sum(held.size for held in self.held.values())

    def biggest(self) -> str:
        """The instance with the most bytes."""
        sizes: Counter[str] = Counter()
        for held in self.held.values():
            sizes[held.instance_id] += held.size
        return sizes.most_common(1)[0][0]

    def count(self, db: sqlite3.Connection, name: str, count: int) -> None:
        """Add to a total."""
        if count:
            self._counts[name] += count
            db.execute(
                "INSERT INTO totals VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET total = total + excluded.total",
                (name, count),
            )

    def lose(self, db: sqlite3.Connection, boot: int, reason: LossReason, lines: int) -> None:
        """Lines of a boot will never arrive."""
        self.count(db, f"dropped_{reason}", lines)
        if lines:
            self.losses.append((self.held[boot].instance_id, reason, lines))

    def give_up(self, db: sqlite3.Connection, runs: list[GivenUp]) -> None:
        """The oldest lines of some boots became gaps."""
        for run in runs:
            self.add(run.boot, -run.rows, -run.lines, -run.bytes)
            self.lose(db, run.boot, "buffer_full", run.lines)

    def add(self, boot: int, rows: int, lines: int, size: int) -> None:
        """Rows of a boot have come into the file, or left it."""
        held = self.held[boot]
        held.rows, held.lines, held.bytes = held.rows + rows, held.lines + lines, held.bytes + size

    def drop_empty(self, boot: int) -> None:
        """Forget a boot of which nothing waits."""
        if not self.held[boot].rows:
            del self.held[boot]

    def unaccounted(self, numbered: int, waiting: int) -> int:
        """Of ``numbered`` lines of the boots that are known, those neither forwarded nor dropped nor ``waiting``."""
        dropped = sum(self._counts[f"dropped_{reason}"] for reason in get_args(LossReason))
        return numbered + self._counts["numbered"] - self._counts["forwarded"] - dropped - waiting

    def totals(self) -> LogTotals:
        """The figures as they are now."""
        counts = self._counts
        return LogTotals(
            lines={stream: counts[f"lines_{stream}"] for stream in get_args(Stream)},
            bytes=counts["bytes"],
            truncated_lines=counts["truncated"],
            dropped_bytes=counts["dropped_bytes"],
            forwarded_lines=counts["forwarded"],
            failed_lines=self.failed_lines,
            dropped_lines={reason: counts[f"dropped_{reason}"] for reason in get_args(LossReason)},
            waiting_lines=sum(held.lines for held in self.held.values()),
            buffer_bytes=self.size(),
        )
