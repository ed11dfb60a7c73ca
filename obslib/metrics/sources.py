"""Figures kept elsewhere and read at each scrape: callback gauges and mirrored totals.

A source belongs to the component, so it may fail, return nonsense or restart from zero; none of that may fail a
scrape or make a total fall. What could not be read is absent and counted, never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from math import isfinite
from typing import TypeVar

from obslib.metrics.cells import as_number

__all__ = ["Figures", "Key", "Mirror", "Reading", "Source", "readings"]

K = TypeVar("K", bound=str | tuple[str, ...])
Key = tuple[object, ...]
Figures = dict[Key, float]
Reading = float | None | Mapping[K, float]
"""What a source returns: one figure, None for absent, or figures by label value (a tuple where there are several)."""

_DEPARTED = 1_000


class Source:
    """One callable that knows figures of a family with ``width`` labels, or totals: finite and at least 0.

    Whoever reads it calls ``failed`` once for a reading that is late or not clean.
    """

    def __init__(self, read: Callable[[], object], *, width: int, failed: Callable[[], None], is_total: bool = False) -> None:
        self.failed = failed
        self._read = read
        self._width = width
        self._is_total = is_total

    def read(self) -> tuple[Figures, bool]:
        """The usable figures by label values, and whether all were; one that raises, even SystemExit, yields none."""
        try:
            found, is_clean = readings(self._read(), self._width)
        except BaseException:
            return {}, False
        if self._is_total:
            usable = {key: value for key, value in found.items() if value >= 0 and isfinite(value)}
            found, is_clean = usable, is_clean and len(usable) == len(found)
        return found, is_clean


def readings(reading: object, width: int) -> tuple[Figures, bool]:
    """Bring a ``Reading`` into one form and say whether all of it was usable; absent figures are no fault."""
    if reading is None:
        return {}, True
    if not isinstance(reading, Mapping):
        number = as_number(reading)
        return ({}, False) if number is None or width else ({(): number}, True)
    found: dict[Key, float] = {}
    is_clean = True
    for name, value in list(reading.items()):
        key = name if isinstance(name, tuple) else (name,)
        number = as_number(value)
        if len(key) == width and all(isinstance(part, Hashable) for part in key) and number is not None:
            found[key] = number
        elif value is not None:
            is_clean = False
    return found, is_clean


class Mirror:
    """Turns totals kept elsewhere into growth: a source that restarts lower goes on from where it was.

    Of sources that left, the last 1 000 are remembered, so that one which comes back does not count twice.
    """

    def __init__(self) -> None:
        self._last: dict[Key, float] = {}

    def growth(self, totals: Mapping[Key, float]) -> dict[Key, float]:
        """How much each total grew since it was last seen."""
        grown: dict[Key, float] = {}
        for key, total in totals.items():
            last = self._last.pop(key, 0)
            grown[key] = total - last if total >= last else total
            self._last[key] = total
        for key in list(self._last)[: max(0, len(self._last) - len(totals) - _DEPARTED)]:
            del self._last[key]
        return grown
