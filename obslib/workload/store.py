"""What a store of workload lines promises, whatever keeps them.

A room's door of its own, because two backends stand behind it and one contract suite runs on both
(``tests/workload/test_store_contract.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from obslib.access import Grant
from obslib.workload.selection import Selection
from obslib.workload.stored import Appended, Page, StampedEntry

__all__ = ["LogStore"]


class LogStore(Protocol):
    """Keeps every org's lines apart from every other's.

    Reading takes a grant for ``logs:read`` and reads the grant's org, whatever the selection says; another grant
    raises AccessDenied. A store that cannot answer raises StoreUnavailable.
    """

    async def append(self, org_id: str, entries: Sequence[StampedEntry]) -> Appended:
        """Keep ``entries``; durable when this returns. One that is there already, by (instance, boot, seq), stays as it is.

        Raises ValueError when a stamp names another org.
        """
        ...

    async def query(self, grant: Grant, selection: Selection) -> Page:
        """The newest ``tail_lines`` that match, oldest first; those of an instance in the order it wrote them."""
        ...

    async def read_after(self, grant: Grant, selection: Selection, position: int, *, limit: int) -> Page:
        """What arrived after ``position`` and matches, in the order of arrival; ``tail_lines`` does not count here.

        Raises SelectionError for a ``limit`` below 1, which no reader could ever get past, and for a place that is none.
        """
        ...

    async def position(self, grant: Grant) -> int:
        """Where the org's newest entry stands; 0 when it has none."""
        ...

    async def wait(self, grant: Grant, position: int, *, timeout_s: float) -> None:
        """Return when something may have arrived after ``position``, at the latest after ``timeout_s``."""
        ...

    async def purge(self, before: float) -> int:
        """Forget what is older than ``before`` (Unix seconds), in every org; returns how many entries that were."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of everything; safe to call twice."""
        ...
