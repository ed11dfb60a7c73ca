"""A real Prometheus over a platform at its worst has the series that were proven, at about the cost that was estimated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.budget import cost, platform_budget
from obslib.catalog import budget
from obslib.catalog.platform import PLATFORM
from tests.bench.scraping import Measured, measure, size_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NODES = 3
FACTOR = 1.5
"""How far the memory that was measured may be from the estimate, either way: a collector of garbage has moods."""


@pytest.fixture(scope="module")
def measured(need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Forty rounds of one second over a small platform, within which the head is cut."""
    directory = tmp_path_factory.mktemp("scraping")
    return measure(size_of(NODES), need("prometheus"), directory, interval_s=1, rounds=40)


def test_the_head_has_all_that_was_proven_and_no_more(measured: Measured) -> None:
    """Of processes filled past every domain, each series that was proven is there, under the rendered limits."""
    proven = platform_budget(PLATFORM, size_of(NODES))
    assert proven.samples <= measured.series - 5 * proven.target_count <= proven.series - 5 * proven.target_count


def test_mutant_a_proof_that_forgets_other_is_passed(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one value less for each label the same head holds more than was proven."""
    alone = budget._Room.alone
    monkeypatch.setattr(budget._Room, "alone", lambda room, use: alone(room, use) - 1)
    assert measured.series > platform_budget(PLATFORM, size_of(NODES)).series


def test_memory_and_bytes_are_about_what_was_estimated(measured: Measured) -> None:
    """The resident set at its largest, a cut of the head included, is within the factor; no scrape has more bytes."""
    assert measured.compactions > 0
    assert 1 / FACTOR <= measured.memory_ratio <= FACTOR
    assert 160 / 2 <= measured.bytes_per_sample <= 160


def test_mutant_an_estimate_that_forgets_the_series_is_caught(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cost of nothing for each series the memory that was measured is past the factor."""
    monkeypatch.setattr(cost, "_BYTES_PER_SERIES", 0)
    assert measured.memory_ratio > FACTOR
