"""Plain counting cells, keyed by declaration.

Rooms that stand below ``metrics`` (redaction, sinks, the guard) must count what they drop without
knowing a registry. They count here; the runtime exports every cell under its declared name.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from typing import ParamSpec

from obslib.catalog.families import Counter

__all__ = ["Cell", "Tally"]

P = ParamSpec("P")


class Cell:
    """One total. ``add`` is safe from any thread, signal handler and forked child: it takes no lock.

    Each step is one tick of a C-level counter, so the cost grows with the amount; count lines here, not bytes.
    """

    __slots__ = ("_ticks",)

    def __init__(self) -> None:
        self._ticks = itertools.count()

    @property
    def total(self) -> int:
        """What has been added up so far."""
        return int(repr(self._ticks)[6:-1])

    def add(self, amount: int = 1) -> None:
        """Add ``amount``, at least 0."""
        if amount == 1:
            next(self._ticks)
        else:
            deque(itertools.islice(self._ticks, amount), maxlen=0)


class Tally:
    """All cells of one process."""

    def __init__(self) -> None:
        self._cells: dict[tuple[Counter[...], tuple[str, ...]], Cell] = {}

    def cell(self, family: Counter[P], *_: P.args, **labels: P.kwargs) -> Cell:
        """The cell of one label combination, made at 0 on first use. Bind it once, then ``add``."""
        key = (family, tuple(str(labels[name]) for name in family.label_names))
        found = self._cells.get(key)
        if found is None:
            found = self._cells.setdefault(key, Cell())
        return found

    def totals(self) -> Iterator[tuple[Counter[...], tuple[str, ...], int]]:
        """Every family, label combination and total counted so far."""
        for (family, values), cell in list(self._cells.items()):
            yield family, values, cell.total
