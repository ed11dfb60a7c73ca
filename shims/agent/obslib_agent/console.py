"""Console capture counted per stream, never per instance, and without a single line of text (WLG-06)."""

from __future__ import annotations

from collections.abc import Callable

from obslib import Observability
from obslib.catalog.platform import tenant as s
from obslib_agent.drivers import ConsoleTotals

__all__ = ["count_console"]


def count_console(obs: Observability, totals: Callable[[], ConsoleTotals]) -> None:
    """Export the host's console totals; ``totals`` is read at each scrape, from another thread, and must be quick."""
    obs.metrics[s.WORKLOAD_LOG_LINES].mirror(lambda: dict(totals().lines))
    obs.metrics[s.WORKLOAD_LOG_BYTES].mirror(lambda: totals().bytes)
    obs.metrics[s.WORKLOAD_LOG_TRUNCATED].mirror(lambda: totals().truncated_lines)
    obs.metrics[s.WORKLOAD_LOG_DROPPED_BYTES].mirror(lambda: totals().dropped_bytes)
