"""The other side of a forwarder: what it said it has, it has, whatever became of its answers. Checks what it holds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from obslib.wire import LogAck, LogBatch, LogEntry

__all__ = ["Receiver"]


@dataclass
class Receiver:
    """Keeps entries by (boot, seq); a number it has is a duplicate. Instances in ``rejects`` are not kept."""

    kept: dict[str, dict[int, LogEntry]] = field(default_factory=lambda: defaultdict(dict))
    rejects: set[str] = field(default_factory=set)
    batches: int = 0

    def take(self, batch: LogBatch) -> LogAck:
        """Keep a batch and acknowledge it."""
        self.batches += 1
        stored = duplicates = 0
        for entry in batch.entries:
            if entry.instance_id in self.rejects:
                continue
            known = self.kept[entry.boot_id]
            if entry.seq in known:
                assert known[entry.seq] == entry, "a number was used twice for different things"
                duplicates += 1
            else:
                known[entry.seq] = entry
                stored += 1
        return LogAck(stored=stored, duplicates=duplicates, rejected=tuple(self.rejects))

    def in_order(self, boot_id: str) -> list[LogEntry]:
        """What there is of a boot, by number; every number up to the last is there once, as a line or in one gap."""
        entries = [entry for _, entry in sorted(self.kept[boot_id].items())]
        expected = 1
        for entry in entries:
            assert entry.seq == expected, f"{boot_id}: number {expected} is missing or covered twice, next is {entry.seq}"
            expected = entry.last_seq + 1
        return entries

    def lines(self, boot_id: str, stream: str = "stdout") -> list[bytes]:
        """The lines of one stream."""
        return [entry.line for entry in self.in_order(boot_id) if entry.gap is None and entry.stream == stream]

    def gaps(self, boot_id: str) -> list[tuple[str, int]]:
        """Reason and lines of every gap."""
        return [(entry.gap.reason, entry.gap.lines) for entry in self.in_order(boot_id) if entry.gap is not None]
