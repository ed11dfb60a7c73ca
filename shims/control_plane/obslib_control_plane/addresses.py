"""Address pools: how full each is, read at each scrape, and who asked for an address in vain (EXT-03)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from obslib import Observability
from obslib.catalog.platform import addresses
from obslib.catalog.platform.addresses import PoolName

__all__ = ["AddressPool", "Addresses", "PoolName"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPool:
    """How many addresses a pool has, and how many of them are taken."""

    size: int
    used: int


class Addresses:
    """The signals of address pools, bound once."""

    def __init__(self, obs: Observability, pools: Callable[[], Mapping[PoolName, AddressPool]] | None) -> None:
        self._failures = obs.metrics[addresses.IPAM_ALLOCATION_FAILURES]
        if pools is not None:
            obs.metrics[addresses.IPAM_POOL_USED].callback(lambda: _shares(pools()))

    def refused(self, pool: PoolName) -> None:
        """An address of ``pool`` was wanted, and there was none or nobody to ask."""
        self._failures.labels(kind=pool).inc()


def _shares(pools: Mapping[PoolName, AddressPool]) -> dict[PoolName, float]:
    """The share of each pool that is taken; a pool without addresses has none."""
    return {name: pool.used / pool.size for name, pool in pools.items() if pool.size}
