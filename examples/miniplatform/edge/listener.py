"""One listening port: accepts clients up to a cap and hands each to a backend of the port's route."""

from __future__ import annotations

import asyncio
import socket
from contextvars import Context
from typing import Protocol

from miniplatform.edge.pool import RoutePool
from miniplatform.edge.splice import splice
from miniplatform.edge.upstream import Upstream, UpstreamEvents
from obslib.catalog.platform.edge import ConnectionResult

__all__ = ["MAX_CONNECTIONS", "ConnectionEvents", "Listener", "bind"]

MAX_CONNECTIONS = 10_000
"""Connections a listener has at once (platform facts §14); one more is closed as soon as it is accepted."""
_BACKLOG = 1_024
_ACCEPT_PAUSE_S = 0.2


class ConnectionEvents(UpstreamEvents, Protocol):
    """Who wants to know what becomes of clients."""

    def ended(self, port: int, result: ConnectionResult) -> None:
        """It is clear what becomes of a client: ``proxied``, ``rejected``, ``no_route`` or ``upstream_failed``."""
        ...

    def closed(self, port: int) -> None:
        """The listener and its last client are gone."""
        ...


def bind(host: str, port: int) -> socket.socket:
    """A socket that already listens, so that a taken port shows now; raises OSError."""
    # With the protocol named, asyncio switches Nagle's algorithm off on what is accepted.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


class Listener:
    """Serves one bound socket. ``pool`` is the port's route, exchanged whole when a config is applied."""

    def __init__(self, listening: socket.socket, upstream: Upstream, events: ConnectionEvents, *, max_connections: int) -> None:
        self.port: int = listening.getsockname()[1]
        self.pool: RoutePool | None = None
        self.max_connections = max_connections
        self._listening = listening
        self._upstream = upstream
        self._events = events
        self._clients: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None

    @property
    def active(self) -> int:
        """Clients connected now."""
        return len(self._clients)

    def start(self, pool: RoutePool) -> None:
        """Accept clients for ``pool`` from now on."""
        self.pool = pool
        self._accepting = asyncio.get_running_loop().create_task(self._accept(), context=Context())  # no config's trace
        self._accepting.add_done_callback(lambda _: self._listening.close())  # not before the event loop has let go of it

    def stop(self) -> None:
        """Accept nobody any more; those connected go on."""
        self.pool = None
        if self._accepting is not None:
            self._accepting.cancel()

    async def finish(self) -> None:
        """Return when the last connected client has gone; cancelled, it ends those that are left."""
        try:
            while self._clients:
                await asyncio.wait(self._clients)
        finally:
            ending = [*self._clients, *([self._accepting] if self._accepting else [])]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                loop.call_exception_handler({"message": f"port {self.port} cannot take a client", "exception": error})
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            if self.active >= self.max_connections:
                connection.close()
                self._events.ended(self.port, "rejected")
                continue
            client = loop.create_task(self._serve(connection, self.pool), context=Context())
            self._clients.add(client)
            client.add_done_callback(self._clients.discard)

    async def _serve(self, connection: socket.socket, pool: RoutePool | None) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client = await asyncio.open_connection(sock=connection)
        try:
            connected = await self._upstream.connect(pool) if pool else None
            self._events.ended(self.port, "proxied" if connected else "upstream_failed" if pool else "no_route")
            if connected is not None:
                await splice(client, connected[1])
        finally:
            client[1].close()
