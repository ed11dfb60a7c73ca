from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.catalog.common import LOG_DROPPED_LINES, LOG_LINES
from obslib.tally import Tally


@pytest.fixture
def tally() -> Tally:
    """What the sink of a test counts in."""
    return Tally()


@pytest.fixture
def counted(tally: Tally) -> Callable[[], dict[str, int]]:
    """Lines by result and drops by reason, without zeros."""

    def read() -> dict[str, int]:
        families = (LOG_LINES, LOG_DROPPED_LINES)
        return {values[0]: total for family, values, total in tally.totals() if family in families and total}

    return read
