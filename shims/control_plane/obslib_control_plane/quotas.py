"""Quotas: each command that is refused because its org has its fill, by the dimension that was full (EXT-04)."""

from __future__ import annotations

from obslib import Observability
from obslib.catalog.platform import delivery
from obslib.catalog.platform.delivery import QuotaDimension

__all__ = ["QuotaDimension", "Quotas"]


class Quotas:
    """The signal of refusals by quota, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._rejections = obs.metrics[delivery.QUOTA_REJECTIONS]

    def refused(self, dimension: QuotaDimension) -> None:
        """A command would have led past the quota called ``dimension``."""
        self._rejections.labels(reason=dimension).inc()
