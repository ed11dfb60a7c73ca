"""What a reader is shown where lines are missing: one marker for each gap, with its reason and its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from obslib.workload.continuity import Continuity
from obslib.workload.stored import StoredEntry

__all__ = ["Marker", "MarkerKind", "Record", "lines_in", "with_holes"]

MarkerKind = Literal["lines_lost", "lines_missing", "lines_skipped"]
"""Lost on the node; gone from the store after it had been acknowledged; there, but more than this answer or stream may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Lines are not shown here. ``before`` is the entry that follows them, or the last of those left out of a stream."""

    kind: MarkerKind
    reason: Literal["store_damaged", "tail_rate", "answer_size"]
    count: int
    before: StoredEntry


Record = StoredEntry | Marker
"""What an answer is made of; a StoredEntry with a gap is a marker of kind ``lines_lost``."""


def lines_in(found: StoredEntry) -> int:
    """How many of the workload's lines an entry stands for."""
    return found.entry.gap.lines if found.entry.gap else 1


def with_holes(entries: Sequence[StoredEntry]) -> Iterator[Record]:
    """``entries`` with a marker wherever the numbers of a boot have a hole."""
    numbers = Continuity()
    for found in entries:
        missing = numbers.missing_before(found.entry)
        if missing:
            yield Marker(kind="lines_missing", reason="store_damaged", count=missing, before=found)
        yield found
