"""The sketch of the worst offenders stays small and finds the heavy ones."""

from __future__ import annotations

from obslib.metrics.offenders import Offender, Offenders


def test_heavy_values_survive_a_stream_of_rare_ones() -> None:
    """A value seen often is listed first, whatever number of others pass by, in fixed space."""
    offenders = Offenders()
    for number in range(5_000):
        offenders.add("m_total", "shelf", f"rare{number}")
        if number % 2:
            offenders.add("m_total", "shelf", "heavy")
    worst = offenders.worst()
    assert len(worst) == 32
    assert worst[0].value == "heavy"
    assert worst[0].count >= 2_500


def test_values_are_cut() -> None:
    """A long value costs no more than 64 characters."""
    offenders = Offenders()
    offenders.add("m_total", "shelf", "x" * 1_000)
    assert offenders.worst() == [Offender(metric="m_total", label="shelf", value="x" * 64, count=1)]
