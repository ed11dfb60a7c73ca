"""Backoff: 100 ms, doubling, at most 30 s, spread by up to a quarter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from obslib.loops.backoff import Backoff


def test_it_doubles_up_to_the_cap():
    """The plain series, without spread."""
    plain = Backoff(lambda: 0.0)
    assert [plain.pause_s(n) for n in range(1, 12)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_it_is_never_outside_its_bounds(attempt, chance):
    """Never under the base, never over the cap, never more than a quarter from the plain pause."""
    pause = Backoff(lambda: chance).pause_s(attempt)
    plain = min(0.1 * 2.0 ** min(max(attempt, 1) - 1, 64), 30.0)
    assert 0.1 <= pause <= 30.0
    assert plain * 0.75 - 1e-9 <= pause <= plain * 1.25 + 1e-9


def test_a_caller_may_wait_less_at_the_cap():
    """A lower cap holds the series from there on."""
    assert [Backoff(lambda: 0.0, cap_s=0.5).pause_s(n) for n in range(1, 6)] == [0.1, 0.2, 0.4, 0.5, 0.5]
