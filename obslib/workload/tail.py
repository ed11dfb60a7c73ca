"""One reader that follows: what there was, then what comes, at most so many lines a second.

Everything goes out in the order of arrival, so a reader that comes back with the last ``position`` it has seen goes on
exactly there. Nothing is held for a reader but the page that is being sent: what arrives meanwhile stays in the store,
and what is then more than the rate allows is skipped and told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from obslib.access import Grant
from obslib.clock import Clock
from obslib.workload.continuity import Continuity
from obslib.workload.limits import Limits, LineRate
from obslib.workload.markers import Marker, Record, lines_in
from obslib.workload.selection import Selection
from obslib.workload.store import LogStore
from obslib.workload.stored import Page, StoredEntry

__all__ = ["Tail"]

_PAGE = 500
_LOOK_EVERY_S = 1.0
_TOLD_WITHIN_S = 1.0
"""A flood's markers come once a second, or before the next line that passes."""
_SETTLED_S = 5.0
"""How long after ``until`` lines from before it may still arrive."""


class Tail:
    """Follows ``selection`` with the grant of one reader, who is granted ``max_query_lines`` of what there was.

    ``after`` is the position where a reader was before; without it the stream begins with the newest ``tail_lines``.
    ``on_throttled`` hears how many lines are skipped, as they are.
    """

    def __init__(
        self,
        store: LogStore,
        grant: Grant,
        selection: Selection,
        *,
        limits: Limits,
        clock: Clock,
        after: int | None = None,
        on_throttled: Callable[[int], None] = lambda lines: None,
    ) -> None:
        self._store, self._grant, self._selection = store, grant, selection
        self._clock = clock
        self._after = after
        self._on_throttled = on_throttled
        self._rate = LineRate(limits.max_tail_rate_lines_per_second, clock.monotonic)
        self._allowance = limits.max_query_lines
        self._begun_at = self._position = 0
        self._opening: Sequence[Record] = ()
        self._numbers = Continuity()
        self._skipped = 0
        self._last_skipped: StoredEntry | None = None
        self._skipping_since = 0.0

    async def open(self) -> int:
        """Take the place where the stream begins, and return it; call this before the reader is told that it is let in."""
        self._begun_at = await self._store.position(self._grant)
        self._position = self._begun_at if self._after is None else self._after
        if self._after is None and self._selection.tail_lines:
            page = await self._store.query(self._grant, self._selection)
            if page.entries:
                first = min(page.entries, key=_position)
                self._position = min(first.position - 1, self._begun_at)
                if page.left_out:
                    self._opening = (Marker(kind="lines_skipped", reason="answer_size", count=page.left_out, before=first),)
        return self._position

    async def chunks(self) -> AsyncIterator[Sequence[Record]]:
        """What to send next; an empty one now and then while nothing comes. Ends after ``until``, else never."""
        yield self._opening
        while True:
            page = await self._store.read_after(self._grant, self._selection, self._position, limit=_PAGE)
            is_caught_up = page.position == self._position
            self._position = page.position
            records = self._within_limits(page)
            if records:
                yield records
            if is_caught_up:
                until = self._selection.until
                if until is not None and self._clock.now() > until + _SETTLED_S:
                    return
                await self._store.wait(self._grant, self._position, timeout_s=_LOOK_EVERY_S)
                yield ()

    def _within_limits(self, page: Page) -> list[Record]:
        records: list[Record] = []
        for found in page.entries:
            missing = 0 if self._selection.contains else self._numbers.missing_before(found.entry)
            if not self._may_pass(found):
                self._skip(found, missing + lines_in(found))
                continue
            records += self._skip_marker()
            if missing:
                records.append(Marker(kind="lines_missing", reason="store_damaged", count=missing, before=found))
            records.append(found)
        if self._clock.monotonic() - self._skipping_since >= _TOLD_WITHIN_S:
            records += self._skip_marker()
        return records

    def _may_pass(self, found: StoredEntry) -> bool:
        if found.position <= self._begun_at and self._allowance > 0:
            self._allowance -= 1
            return True
        return self._rate.take()

    def _skip(self, found: StoredEntry, lines: int) -> None:
        if self._last_skipped is None:
            self._skipping_since = self._clock.monotonic()
        self._skipped += lines
        self._last_skipped = found
        self._on_throttled(lines)

    def _skip_marker(self) -> list[Record]:
        if self._last_skipped is None:
            return []
        marker = Marker(kind="lines_skipped", reason="tail_rate", count=self._skipped, before=self._last_skipped)
        self._skipped, self._last_skipped = 0, None
        return [marker]


def _position(found: StoredEntry) -> int:
    return found.position
