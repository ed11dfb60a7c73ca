"""Numbers without holes: what is missing between two entries of a boot was lost, however it was lost (WLG-07).

An agent numbers every line and tells of each gap, so a number that neither a line nor a gap takes can only have
been lost behind the acknowledgement: in a damaged file, a torn log, a record that no longer is what was written.
"""

from __future__ import annotations

from obslib.wire import LogEntry

__all__ = ["Continuity"]


class Continuity:
    """Watches entries as they pass, for at most ``most`` boots at once; the longest silent is forgotten."""

    def __init__(self, most: int = 1_000) -> None:
        self._most = most
        self._last: dict[tuple[str, str], int] = {}

    def missing_before(self, entry: LogEntry) -> int:
        """How many lines of this boot lie between the last entry seen and this one; 0 for a boot not seen before.

        A node whose spool broke goes on with numbers far beyond those it may have given out; its gap tells of that.
        """
        name = entry.instance_id, entry.boot_id
        before = self._last.pop(name, entry.seq - 1)
        if len(self._last) >= self._most:
            del self._last[next(iter(self._last))]
        self._last[name] = max(before, entry.last_seq)
        if entry.gap is not None and entry.gap.reason == "spool_lost":
            return 0
        return max(0, entry.seq - before - 1)
