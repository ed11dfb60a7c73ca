"""One question and its whole answer, with a marker for whatever the answer lacks."""

from __future__ import annotations

from collections.abc import Sequence

from obslib.access import Grant
from obslib.workload.markers import Marker, Record, with_holes
from obslib.workload.selection import Selection
from obslib.workload.store import LogStore

__all__ = ["query"]


async def query(store: LogStore, grant: Grant, selection: Selection) -> Sequence[Record]:
    """What the grant's org has of ``selection``, oldest first. A text filter leaves holes that are none, so it shows none."""
    page = await store.query(grant, selection)
    records: list[Record] = list(page.entries if selection.contains else with_holes(page.entries))
    if page.left_out and page.entries:
        records.insert(0, Marker(kind="lines_skipped", reason="answer_size", count=page.left_out, before=page.entries[0]))
    return records
