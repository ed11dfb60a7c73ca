"""Where a listening port leads: to one route that takes every client, or to several that clients ask for by name.

Among the named there is no default: a client that asks for another name is connected to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from miniplatform.edge.pool import RoutePool

__all__ = ["Destination", "NamedRoutes", "destination_of", "route_ids"]


class NamedRoutes:
    """The routes of one TLS port, each found by its whole hostname in any case."""

    def __init__(self, pools: Sequence[RoutePool]) -> None:
        self.pools = tuple(pools)
        self._by_name = {pool.route.hostname.lower(): pool for pool in pools}

    def find(self, hostname: str) -> RoutePool | None:
        """The route of exactly that name."""
        return self._by_name.get(hostname.lower())


Destination = RoutePool | NamedRoutes


def destination_of(pools: Sequence[RoutePool]) -> Destination:
    """Where a port with these routes leads; they are one raw route, or TLS routes with different names."""
    return pools[0] if pools[0].route.protocol == "tcp_raw" else NamedRoutes(pools)


def route_ids(destination: Destination | None) -> set[str]:
    """The routes a port leads to."""
    if destination is None:
        return set()
    pools = destination.pools if isinstance(destination, NamedRoutes) else (destination,)
    return {pool.route.route_id for pool in pools}
