"""The estimate follows from the proven budget alone, and its figures for bytes are those of real expositions."""

from __future__ import annotations

import pytest

from obslib.budget import INTERVAL_S, Cost, PlatformSize, Scrape, cost_of, platform_budget
from obslib.catalog.platform import PLATFORM
from obslib.render import scrape_config
from tests.bench.farm import full


def test_the_cost_is_that_of_the_proven_series() -> None:
    """Every figure is a multiple of what was proven, for the whole platform or for the process with the largest scrape."""
    budget = platform_budget(PLATFORM, PlatformSize(nodes=10, edges=2))
    largest = max(target.samples for target in budget.targets)
    assert cost_of(budget, interval_s=30) == Cost(
        interval_s=30,
        memory_bytes=96 * 2**20 + 4_600 * budget.series,
        samples_per_second=budget.series / 30,
        bytes_per_second=160 * budget.samples / 30,
        processors=pytest.approx(3e-6 * budget.series / 30),
        largest_scrape=Scrape(
            component="control-plane", samples=largest, bytes=160 * largest, duration_s=pytest.approx(20e-6 * largest)
        ),
    )


def test_the_interval_is_the_rendered_one() -> None:
    """Unless one is named, the estimate is for the configuration that 'obslib build' renders."""
    assert cost_of(platform_budget(PLATFORM, PlatformSize())).interval_s == INTERVAL_S
    assert f"scrape_interval: {INTERVAL_S:g}s\n" in scrape_config(PLATFORM, rule_files=())


@pytest.mark.parametrize("component", PLATFORM.components)
def test_no_full_exposition_is_larger_than_estimated(component: str) -> None:
    """Of a process at its worst, the bytes of a scrape are at most what is estimated, and not less than half of it."""
    target = next(each for each in platform_budget(PLATFORM, PlatformSize()).targets if each.component == component)
    estimated = target.samples * 160
    assert estimated / 2 <= len(full(component).exposition()[0]) <= estimated
