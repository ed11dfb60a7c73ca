"""Timestamps are RFC 3339 in UTC with microseconds, whatever the clock does."""

from __future__ import annotations

import pytest

from obslib.logs.stamp import Stamp
from obslib.testing import FixedClock


def test_each_microsecond_has_its_digits() -> None:
    """The fraction has six digits and rounds to the nearest."""
    clock = FixedClock(1_766_000_000.0)
    stamp = Stamp(clock)
    assert stamp() == "2025-12-17T19:33:20.000000Z"
    clock.advance(0.25)
    assert stamp() == "2025-12-17T19:33:20.250000Z"
    clock.advance(0.75)
    assert stamp() == "2025-12-17T19:33:21.000000Z"
    clock.step(-3_600.5)
    assert stamp() == "2025-12-17T18:33:20.500000Z"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (1.9999999, "1970-01-01T00:00:01.999999Z"),
        (-0.25, "1969-12-31T23:59:59.750000Z"),
        (1_700_000_000.1, "2023-11-14T22:13:20.100000Z"),
    ],
)
def test_edges_of_a_second_stay_valid(now: float, expected: str) -> None:
    """Just before a full second the fraction does not overflow, and times before 1970 count forward."""
    assert Stamp(FixedClock(now))() == expected
