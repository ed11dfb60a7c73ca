"""The image cache: how large, how often it helps, what it gave up, and pulls as spans (MET-AG-06 to -08, TRC-09)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from obslib import Observability
from obslib.catalog.platform import resources as r
from obslib_agent.drivers import CacheTotals

__all__ = ["ImageCache"]


class ImageCache:
    """Exports the cache's totals at each scrape; ``totals`` is read from another thread and must be quick.

    Without ``totals`` the host has no image cache: its families are absent, not zero.
    """

    def __init__(self, obs: Observability, totals: Callable[[], CacheTotals] | None) -> None:
        self._pull = obs.span(r.AGENT_IMAGE_PULL)
        self._convert = obs.span(r.AGENT_IMAGE_CONVERT)
        if totals is None:
            return
        obs.metrics[r.AGENT_IMAGE_CACHE].callback(lambda: dict(totals().bytes))
        obs.metrics[r.AGENT_IMAGE_CACHE_LIMIT].callback(lambda: totals().limit_bytes)
        obs.metrics[r.AGENT_IMAGE_CACHE_REQUESTS].mirror(lambda: {"hit": totals().hits, "miss": totals().misses})
        obs.metrics[r.AGENT_IMAGE_CACHE_EVICTIONS].mirror(lambda: dict(totals().evictions))

    def pulling(self) -> AbstractContextManager[object]:
        """An image is brought to this node, under ``boot.image`` when a boot waits for it."""
        return self._pull()

    def converting(self) -> AbstractContextManager[object]:
        """A pulled image is made into what an instance boots from; inside ``pulling``."""
        return self._convert()
