"""Since when groups lack instances, so that the time until each is placed can be told."""

from __future__ import annotations

from collections.abc import Mapping

from miniplatform.scheduler.world import GroupKey

__all__ = ["Shortage"]


class Shortage:
    """Looks at every pass. Times are of the database's clock; a scheduler that has just started knows of no earlier need."""

    def __init__(self) -> None:
        self._since: dict[GroupKey, float] = {}
        self._looked_at: float | None = None

    def look(self, wanting: Mapping[GroupKey, float], *, now: float) -> None:
        """``wanting`` are the groups that want more than they have, each with the time of its newest wish.

        A group that did not want any at the last look has wanted some since its wish, or else, when the wish is older than
        that look and an instance was lost, since now.
        """
        before = now if self._looked_at is None else self._looked_at
        self._since = {key: self._since.get(key, wish if wish > before else now) for key, wish in wanting.items()}
        self._looked_at = now

    def seconds(self, key: GroupKey) -> float:
        """How long the group had lacked an instance at the last look; 0 when it lacked none."""
        now = self._looked_at or 0.0
        return max(now - self._since.get(key, now), 0.0)
