"""Which label values overflow most, for the debug endpoint.

A counter cannot say *which* value was too many without holding it, so the worst are kept in a sketch of fixed
size (Metwally's Space-Saving): a new value takes the place of the least seen and inherits its count.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Offender", "Offenders"]

_PLACES = 32
_SHOWN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Offender:
    """A value that was folded about ``count`` times; never too few, at most the smallest count too many."""

    metric: str
    label: str
    value: str
    count: int


class Offenders:
    """The sketch; the caller holds the registry's lock."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}

    def add(self, metric: str, label: str, value: str) -> None:
        """Count one folded value, cut to 64 characters."""
        key = (metric, label, value[:_SHOWN])
        counts = self._counts
        if key in counts:
            counts[key] += 1
        elif len(counts) < _PLACES:
            counts[key] = 1
        else:
            least = min(counts, key=counts.__getitem__)
            counts[key] = counts.pop(least) + 1

    def worst(self) -> list[Offender]:
        """The values kept, most often folded first."""
        ranked = sorted(self._counts.items(), key=lambda item: -item[1])
        return [Offender(metric=metric, label=label, value=value, count=count) for (metric, label, value), count in ranked]
