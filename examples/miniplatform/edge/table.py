"""The routing table in force: one listener per port, one pool per route, changed as a whole or not at all.

A new config is built beside the old one: it is checked and its new ports are bound first, and only then does
the table change, in one step between two turns of the event loop. A port that cannot be bound costs the routes
on it and no other: ports are a tenant's choice, the table is everybody's.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from miniplatform.edge.backends import Backend, GateChanged
from miniplatform.edge.destination import Destination, destination_of, route_ids
from miniplatform.edge.listener import ConnectionEvents, Limits, Listener, bind
from miniplatform.edge.pool import RoutePool
from miniplatform.edge.upstream import Upstream
from miniplatform.wire import EdgeConfig, EdgeRoute
from obslib.errors import ErrorClass

__all__ = ["ConfigRefused", "Refusal", "RoutingTable"]

HOST = "127.0.0.1"


class ConfigRefused(Exception):
    """A config cannot be served as a whole; the table is what it was."""

    def __init__(self, message: str, error_class: ErrorClass) -> None:
        super().__init__(message)
        self.error_class = error_class


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A route of the applied config that this edge does not serve; ``why`` is the operating system's word, if it gave one."""

    route: EdgeRoute
    problem: Literal["port_unavailable"]
    why: str = ""


class RoutingTable:
    """What this edge serves. ``config`` is the applied one, None before the first; ``refused`` its routes not served, by id."""

    def __init__(
        self, upstream: Upstream, events: ConnectionEvents, on_gate: GateChanged, limits: Limits | None = None
    ) -> None:
        self.config: EdgeConfig | None = None
        self.pools: Mapping[str, RoutePool] = {}
        self.listeners: dict[int, Listener] = {}
        self.refused: Mapping[str, Refusal] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._upstream = upstream
        self._events = events
        self._on_gate = on_gate
        self._limits = limits or Limits()

    def backends(self) -> Iterator[Backend]:
        """Every backend of every route."""
        return (backend for pool in self.pools.values() for backend in pool.backends)

    def is_intact(self) -> bool:
        """Whether the listeners are exactly those of one config, but for what is refused: no apply stopped half-way."""
        expected: dict[int, set[str]] = defaultdict(set)
        for route in self.config.routes if self.config else ():
            if route.route_id not in self.refused:
                expected[route.listener_port].add(route.route_id)
        return expected == {port: route_ids(listener.destination) for port, listener in self.listeners.items()}

    def apply(self, config: EdgeConfig) -> None:
        """Serve ``config`` but for what is in ``refused`` then; raises ConfigRefused and changes nothing."""
        wanted = _by_port(config)
        known = {backend.key: backend for backend in self.backends()}
        pools = {route.route_id: self._pool(route, known) for route in config.routes}
        destinations = {port: _destination(routes, pools) for port, routes in wanted.items()}
        bound, taken = self._bind(port for port in wanted if port not in self.listeners)
        served = {port: destination for port, destination in destinations.items() if port not in taken}

        for port, listening in bound.items():
            self._listen(port, listening, served[port])
        for port in [port for port in self.listeners if port not in served]:
            self._retire(self.listeners.pop(port))
        for port, destination in served.items():
            self.listeners[port].destination = destination
        for pool in pools.values():
            for backend, wire in zip(pool.backends, pool.route.backends, strict=True):
                backend.update(wire)
        self.config, self.pools = config, pools
        self.refused = {
            route.route_id: Refusal(route=route, problem="port_unavailable", why=why)
            for port, why in taken.items()
            for route in wanted[port]
        }

    def retry(self) -> list[EdgeRoute]:
        """Try the ports again that could not be bound, and return the routes that are served from now on."""
        waiting: dict[int, list[EdgeRoute]] = defaultdict(list)
        for refusal in self.refused.values():
            waiting[refusal.route.listener_port].append(refusal.route)
        bound, _ = self._bind(waiting)
        for port, listening in bound.items():
            self._listen(port, listening, _destination(waiting[port], self.pools))
        recovered = [route for port in bound for route in waiting[port]]
        freed = {route.route_id for route in recovered}
        self.refused = {route_id: refusal for route_id, refusal in self.refused.items() if route_id not in freed}
        return recovered

    def unbound(self) -> dict[int, str]:
        """The ports that could not be bound, and why."""
        return {refusal.route.listener_port: refusal.why for refusal in self.refused.values()}

    async def close(self, *, grace_s: float) -> None:
        """Stop accepting, give the connected clients ``grace_s`` and end."""
        for listener in self.listeners.values():
            self._retire(listener)
        self.listeners, self.config, self.pools, self.refused = {}, None, {}, {}
        if self._leaving:
            _, left = await asyncio.wait(self._leaving, timeout=grace_s)
            for leaving in left:
                leaving.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _bind(self, ports: Iterable[int]) -> tuple[dict[int, socket.socket], dict[int, str]]:
        bound: dict[int, socket.socket] = {}
        taken: dict[int, str] = {}
        for port in ports:
            try:
                bound[port] = bind(HOST, port)
            except (OSError, OverflowError) as error:
                taken[port] = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return bound, taken

    def _listen(self, port: int, listening: socket.socket, destination: Destination) -> None:
        self.listeners[port] = Listener(listening, self._upstream, self._events, self._limits)
        self.listeners[port].start(destination)

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


def _destination(routes: Iterable[EdgeRoute], pools: Mapping[str, RoutePool]) -> Destination:
    return destination_of([pools[route.route_id] for route in routes])


def _by_port(config: EdgeConfig) -> dict[int, list[EdgeRoute]]:
    """The routes of each port; raises ConfigRefused when two of them would have to fight for a client.

    Only TLS routes with different names share a port, and of those there may be thousands.
    """
    found: dict[int, list[EdgeRoute]] = {}
    named: dict[tuple[int, str], EdgeRoute] = {}
    for route in config.routes:
        on_port = found.setdefault(route.listener_port, [])
        if on_port and "tcp_raw" in (route.protocol, on_port[0].protocol):
            raise _refused(on_port[0], route, f"raw port {route.listener_port}")
        other = named.setdefault((route.listener_port, route.hostname.lower()), route)
        if other is not route:
            raise _refused(other, route, f"{route.hostname!r} on port {route.listener_port}")
        on_port.append(route)
    return found


def _refused(one: EdgeRoute, other: EdgeRoute, claim: str) -> ConfigRefused:
    message = f"routes {one.route_id!r} and {other.route_id!r} both claim {claim}"
    return ConfigRefused(message, ErrorClass.INVALID_ARGUMENT)
