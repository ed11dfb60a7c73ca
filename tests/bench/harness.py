"""How a row is measured: both sides in turn, CPU time, the median of the ratios of several rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Measured", "Row", "measure"]

ROUNDS = 9
ROUND_S = 0.08

Work = Callable[[int], object]
"""Does the measured thing ``n`` times; one that runs in another process returns the seconds it took there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: ours against theirs, at most ``target``. ``make`` builds both sides when the row runs.

    Work that takes many seconds is measured in fewer ``rounds``.
    """

    id: str
    what: str
    peer: str
    target: float
    make: Callable[[], tuple[Work, Work]]
    rounds: int = ROUNDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a row came to: the median ratio, and each side's cost in nanoseconds."""

    row: Row
    ratio: float
    ours_ns: float
    theirs_ns: float

    @property
    def is_ok(self) -> bool:
        """Whether the target holds."""
        return self.ratio <= self.row.target


def measure(row: Row) -> Measured:
    """Run ``row``: warm both sides up, then its interleaved rounds of about ``ROUND_S`` each."""
    ours, theirs = row.make()
    n_ours, n_theirs = _calibrated(ours), _calibrated(theirs)
    pairs = []
    for number in range(row.rounds):
        sides = [(ours, n_ours), (theirs, n_theirs)]
        timed = [_timed(*side) for side in (sides if number % 2 == 0 else reversed(sides))]
        pairs.append(tuple(timed) if number % 2 == 0 else tuple(reversed(timed)))
    return Measured(
        row=row,
        ratio=statistics.median(a / b for a, b in pairs),
        ours_ns=statistics.median(a for a, _ in pairs),
        theirs_ns=statistics.median(b for _, b in pairs),
    )


def _calibrated(work: Work) -> int:
    work(1)
    n = 1
    while True:
        spent = _timed(work, n) * n / 1e9
        if spent >= ROUND_S / 4:
            return max(1, int(n * ROUND_S / spent))
        n *= 4


def _timed(work: Work, n: int) -> float:
    begun = time.process_time_ns()
    elsewhere = work(n)
    return (elsewhere * 1e9 if isinstance(elsewhere, float) else time.process_time_ns() - begun) / n
