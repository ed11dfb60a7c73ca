"""Groups that must wait before their next try, and how long.

A group that cannot be placed is tried again at a calm rate, but at once when the nodes or the group
itself have changed, because then the answer may be another.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass

from miniplatform.scheduler.world import GroupKey

__all__ = ["Backoff", "Waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A group put aside: why, after how many tries, until when, and in which circumstances.

    ``lacks_room`` tells a group that finds no node from one whose reconcile failed.
    """

    reason: str
    detail: str
    attempt: int
    pause_s: float
    until: float
    circumstances: Hashable
    lacks_room: bool


class Backoff:
    """The groups in backoff; pauses double from ``base_s`` to ``cap_s``. Times are the caller's, in seconds."""

    def __init__(self, *, base_s: float, cap_s: float) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._waiting: dict[GroupKey, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def items(self) -> list[tuple[GroupKey, Waiting]]:
        """The waiting groups, sorted."""
        return sorted(self._waiting.items())

    def waiting(self, key: GroupKey, circumstances: Hashable, *, now: float) -> Waiting | None:
        """Why it is too early for ``key``; None when it is not. Other circumstances help only a group that lacks room."""
        waiting = self._waiting.get(key)
        if waiting is None or now >= waiting.until or (waiting.lacks_room and circumstances != waiting.circumstances):
            return None
        return waiting

    def put_aside(
        self, key: GroupKey, reason: str, detail: str, circumstances: Hashable, *, now: float, lacks_room: bool
    ) -> Waiting:
        """Make ``key`` wait; a repeated reason counts as one more attempt, a new one starts afresh."""
        before = self._waiting.get(key)
        attempt = before.attempt + 1 if before is not None and before.reason == reason else 1
        pause_s = min(self._cap_s, self._base_s * 2 ** min(attempt - 1, 30))
        waiting = Waiting(
            reason=reason, detail=detail, attempt=attempt, pause_s=pause_s, until=now + pause_s,
            circumstances=circumstances, lacks_room=lacks_room,
        )  # fmt: skip
        self._waiting[key] = waiting
        return waiting

    def clear(self, key: GroupKey) -> None:
        """``key`` is as it should be, or was moved on."""
        self._waiting.pop(key, None)

    def keep_only(self, keys: Collection[GroupKey]) -> None:
        """Forget groups that no longer exist."""
        self._waiting = {key: waiting for key, waiting in self._waiting.items() if key in keys}
