"""A hole in the numbers is a loss, unless the node has told of it."""

from __future__ import annotations

from obslib.wire import LogEntry, LogGap
from obslib.workload.continuity import Continuity


def entry(seq: int, gap: LogGap | None = None) -> LogEntry:
    """An entry of the one boot."""
    return LogEntry(instance_id="inst_1", boot_id="boot_1", seq=seq, ts="2026-01-31T09:30:00Z", stream="stdout", gap=gap)


def test_only_numbers_nobody_took_are_missing() -> None:
    """A gap takes its numbers; what lies between two entries without one is missing."""
    numbers = Continuity()
    seen = [entry(4), entry(5, LogGap(reason="buffer_full", lines=3)), entry(8), entry(11)]
    assert [numbers.missing_before(found) for found in seen] == [0, 0, 0, 2]


def test_numbers_a_node_skipped_because_its_spool_broke_are_not_missing_lines() -> None:
    """They were never given out: the gap of the broken spool stands for what nobody could count."""
    numbers = Continuity()
    seen = [entry(4), entry(900, LogGap(reason="spool_lost", lines=1, is_exact=False)), entry(901)]
    assert [numbers.missing_before(found) for found in seen] == [0, 0, 0]
