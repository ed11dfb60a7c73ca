"""The routing table in force: one listener per port, one pool per route, changed as a whole or not at all.

A new config is built beside the old one: new ports are bound first, and only when all of them are ours
does the table change, in one step between two turns of the event loop.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping

from miniplatform.edge.backends import Backend, GateChanged
from miniplatform.edge.listener import MAX_CONNECTIONS, ConnectionEvents, Listener, bind
from miniplatform.edge.pool import RoutePool
from miniplatform.edge.upstream import Upstream
from miniplatform.wire import EdgeConfig, EdgeRoute
from obslib.errors import ErrorClass

__all__ = ["ConfigRefused", "RoutingTable"]

HOST = "127.0.0.1"


class ConfigRefused(Exception):
    """A config cannot be served as a whole; the table is what it was."""

    def __init__(self, message: str, error_class: ErrorClass) -> None:
        super().__init__(message)
        self.error_class = error_class


class RoutingTable:
    """What this edge serves. ``config`` is the applied one, None before the first."""

    def __init__(
        self, upstream: Upstream, events: ConnectionEvents, on_gate: GateChanged, *, max_connections: int = MAX_CONNECTIONS
    ) -> None:
        self.config: EdgeConfig | None = None
        self.pools: Mapping[str, RoutePool] = {}
        self.listeners: dict[int, Listener] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._upstream = upstream
        self._events = events
        self._on_gate = on_gate
        self._max_connections = max_connections

    def backends(self) -> Iterator[Backend]:
        """Every backend of every route."""
        return (backend for pool in self.pools.values() for backend in pool.backends)

    def is_intact(self) -> bool:
        """Whether the listeners are exactly those of one config: no apply stopped half-way."""
        expected = (
            {route.listener_port: route.route_id for route in self.config.routes if _is_served(route)} if self.config else {}
        )
        return expected == {port: listener.pool.route.route_id for port, listener in self.listeners.items() if listener.pool}

    def apply(self, config: EdgeConfig) -> list[EdgeRoute]:
        """Serve ``config``, and return its routes that this edge cannot serve; raises ConfigRefused and changes nothing."""
        served = _by_port(config)
        bound = self._bind(port for port in served if port not in self.listeners)
        known = {backend.key: backend for backend in self.backends()}
        pools = {route.route_id: self._pool(route, known) for route in config.routes}

        for port, listening in bound.items():
            self.listeners[port] = Listener(listening, self._upstream, self._events, max_connections=self._max_connections)
            self.listeners[port].start(pools[served[port].route_id])
        for port in [port for port in self.listeners if port not in served]:
            self._retire(self.listeners.pop(port))
        for port, route in served.items():
            self.listeners[port].pool = pools[route.route_id]
        for pool in pools.values():
            for backend, wire in zip(pool.backends, pool.route.backends, strict=True):
                backend.update(wire)
        self.config, self.pools = config, pools
        return [route for route in config.routes if not _is_served(route)]

    async def close(self, *, grace_s: float) -> None:
        """Stop accepting, give the connected clients ``grace_s`` and end."""
        for listener in self.listeners.values():
            self._retire(listener)
        self.listeners, self.config, self.pools = {}, None, {}
        if self._leaving:
            _, left = await asyncio.wait(self._leaving, timeout=grace_s)
            for leaving in left:
                leaving.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _bind(self, ports: Iterator[int]) -> dict[int, socket.socket]:
        bound: dict[int, socket.socket] = {}
        for port in ports:
            try:
                bound[port] = bind(HOST, port)
            except (OSError, OverflowError) as error:
                for listening in bound.values():
                    listening.close()
                why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
                raise ConfigRefused(
                    f"listener port {port} cannot be bound ({why}); the config in force stays", ErrorClass.CONFLICT
                ) from error
        return bound

    def _pool(self, route: EdgeRoute, known: Mapping[tuple[str, str, str, int], Backend]) -> RoutePool:
        fresh = [Backend(route.route_id, wire, self._on_gate) for wire in route.backends]
        before = self.pools.get(route.route_id)
        return RoutePool(route, [known.get(b.key, b) for b in fresh], turn=before.turn if before else 0)

    def _retire(self, listener: Listener) -> None:
        listener.stop()
        leaving = asyncio.get_running_loop().create_task(self._see_off(listener))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _see_off(self, listener: Listener) -> None:
        await listener.finish()
        if listener.port not in self.listeners:
            self._events.closed(listener.port)


def _is_served(route: EdgeRoute) -> bool:
    return route.protocol == "tcp_raw"


def _by_port(config: EdgeConfig) -> dict[int, EdgeRoute]:
    served: dict[int, EdgeRoute] = {}
    for route in config.routes:
        if not _is_served(route):
            continue
        other = served.setdefault(route.listener_port, route)
        if other is not route:
            raise ConfigRefused(
                f"routes {other.route_id!r} and {route.route_id!r} both claim raw port {route.listener_port}",
                ErrorClass.INVALID_ARGUMENT,
            )
    return served
