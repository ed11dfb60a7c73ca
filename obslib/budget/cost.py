"""What a proven budget costs whoever runs Prometheus: memory, samples, bytes and processor time.

How many series there are is proven; what one costs is measured (specs/metrics.md says how, and which command repeats it). So
this is an estimate, for one Prometheus that scrapes the whole platform with the rendered configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from obslib.budget.platform import PlatformBudget

__all__ = ["INTERVAL_S", "Cost", "Scrape", "cost_of", "memory_of"]

INTERVAL_S = 15.0
"""How often the rendered configuration scrapes."""

_BASE_BYTES = 96 * 2**20  # resident memory before the first series
_BYTES_PER_SERIES = 4_600  # labels, index, chunk, scrape cache, as much again that Go has not collected, cutting the head
_BYTES_PER_SAMPLE = 160  # a line of an agent, which names its node in each
_SCRAPE_S_PER_SAMPLE = 20e-6  # most of it for rendering in Python
_PROCESSOR_S_PER_SAMPLE = 3e-6  # of Prometheus, for parsing and storing


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """One scrape of one process: its size before compression, and how long it takes while nothing else is busy."""

    component: str
    samples: int
    bytes: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one Prometheus needs for a platform at its worst.

    ``memory_bytes`` is its resident set at its largest, with no more series in its head than there are at once.
    ``processors`` are kept busy by scraping alone, without rules and queries.
    """

    interval_s: float
    memory_bytes: int
    samples_per_second: float
    bytes_per_second: float
    processors: float
    largest_scrape: Scrape


def memory_of(series: int) -> int:
    """The resident set, at its largest, of a Prometheus with so many series in its head."""
    return _BASE_BYTES + series * _BYTES_PER_SERIES


def cost_of(budget: PlatformBudget, *, interval_s: float = INTERVAL_S) -> Cost:
    """Estimate what ``budget`` costs when every process is scraped once in ``interval_s`` seconds."""
    largest = max(budget.targets, key=lambda target: target.samples)
    samples_per_second = budget.series / interval_s
    return Cost(
        interval_s=interval_s,
        memory_bytes=memory_of(budget.series),
        samples_per_second=samples_per_second,
        bytes_per_second=budget.samples * _BYTES_PER_SAMPLE / interval_s,
        processors=samples_per_second * _PROCESSOR_S_PER_SAMPLE,
        largest_scrape=Scrape(
            component=largest.component,
            samples=largest.samples,
            bytes=largest.samples * _BYTES_PER_SAMPLE,
            duration_s=largest.samples * _SCRAPE_S_PER_SAMPLE,
        ),
    )
