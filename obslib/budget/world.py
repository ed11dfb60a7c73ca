"""How much of anything there can be: what a size says there is, and what the quotas of that many orgs allow."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.budget.quotas import Quotas
from obslib.budget.size import PlatformSize
from obslib.catalog import Measure

__all__ = ["World"]


@dataclass(frozen=True, slots=True)
class World:
    """A platform's size and its quotas."""

    size: PlatformSize
    quotas: Quotas

    def existing(self, measures: tuple[Measure, ...], quota: str) -> int | None:
        """The smaller of what there is and what the orgs may have; None where neither is known."""
        each = self.quotas.per_org.get(quota)
        allowed = None if each is None or self.size.orgs is None else each * self.size.orgs
        known = [count for count in (self.size.things(measures), allowed) if count is not None]
        return min(known, default=None)
