"""One listening port: accepts clients up to a cap, finds the route of each and hands it to a backend of that route."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack
from contextvars import Context
from dataclasses import dataclass
from typing import Protocol

from miniplatform.edge.destination import Destination, NamedRoutes
from miniplatform.edge.pool import RoutePool
from miniplatform.edge.proxy_header import Peer, proxy_v2
from miniplatform.edge.sniff import sniff
from miniplatform.edge.splice import Stream, splice
from miniplatform.edge.upstream import Upstream, UpstreamEvents
from obslib.catalog.platform.edge import ConnectionResult, SniffResult

__all__ = ["ConnectionEvents", "Limits", "Listener", "bind"]

_BACKLOG = 1_024
_ACCEPT_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one listener allows (platform facts §14).

    A client past ``max_connections`` is closed as soon as it is accepted; a TLS client that has not said within
    ``sniff_timeout_s`` whom it wants, then.
    """

    max_connections: int = 10_000
    sniff_timeout_s: float = 0.2


class ConnectionEvents(UpstreamEvents, Protocol):
    """Who wants to know what becomes of clients."""

    def ended(self, port: int, result: ConnectionResult) -> None:
        """It is clear what becomes of a client: ``proxied``, ``rejected``, ``no_route`` or ``upstream_failed``."""
        ...

    def sniffed(self, result: SniffResult, seconds: float) -> None:
        """A client of a TLS port was listened to for so long, with this result."""
        ...

    def closed(self, port: int) -> None:
        """The listener and its last client are gone."""
        ...


def bind(host: str, port: int) -> socket.socket:
    """A socket that already listens, so that a taken port shows now; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off on what is accepted.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
    """Serves one bound socket. ``destination`` is where it leads, exchanged whole when a config is applied."""

    def __init__(self, listening: socket.socket, upstream: Upstream, events: ConnectionEvents, limits: Limits) -> None:
        self.port: int = listening.getsockname()[1]
        self.destination: Destination | None = None
        self.limits = limits
        self._listening = listening
        self._upstream = upstream
        self._events = events
        self._clients: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None

    @property
    def active(self) -> int:
        """Clients connected now."""
        return len(self._clients)

    def start(self, destination: Destination) -> None:
        """Accept clients for ``destination`` from now on."""
        self.destination = destination
        self._accepting = asyncio.get_running_loop().create_task(self._accept(), context=Context())  # no config's trace
        self._accepting.add_done_callback(lambda _: self._listening.close())  # not before the event loop has let go of it

    def stop(self) -> None:
        """Accept nobody any more; those connected go on."""
        self.destination = None
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
                connection, peer = await loop.sock_accept(self._listening)
            except OSError as error:
                loop.call_exception_handler({"message": f"port {self.port} cannot take a client", "exception": error})
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            if self.active >= self.limits.max_connections:
                connection.close()
                self._events.ended(self.port, "rejected")
                continue
            client = loop.create_task(self._serve(connection, peer, self.destination), context=Context())
            self._clients.add(client)
            client.add_done_callback(self._clients.discard)

    async def _serve(self, connection: socket.socket, peer: Peer, destination: Destination | None) -> None:
        with ExitStack() as stack:
            stack.callback(connection.close)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            said = b""
            if isinstance(destination, NamedRoutes):
                name, said = await self._asked_for(connection)
                if name is None:
                    self._events.ended(self.port, "rejected")
                    return
                destination = self._found(name)
            if destination is None:
                self._events.ended(self.port, "no_route")
                return
            client = await asyncio.open_connection(sock=connection)
            stack.pop_all()  # the stream closes it from here on
        try:
            await self._hand_over(client, peer, destination, said)
        finally:
            client[1].close()

    async def _asked_for(self, connection: socket.socket) -> tuple[str | None, bytes]:
        """The name a TLS client asks for, None when it cannot be told, and what it has said to ask."""
        begun = time.monotonic()
        sniffed = await sniff(connection, timeout_s=self.limits.sniff_timeout_s)
        self._events.sniffed(sniffed.result, time.monotonic() - begun)
        return (sniffed.hostname if sniffed.result == "ok" else None), sniffed.said

    def _found(self, name: str) -> RoutePool | None:
        """The route of that name by now, for the config may have changed while the client spoke."""
        return self.destination.find(name) if isinstance(self.destination, NamedRoutes) else None

    async def _hand_over(self, client: Stream, peer: Peer, pool: RoutePool, said: bytes) -> None:
        is_introduced = pool.route.proxy_protocol == "v2"
        header = proxy_v2(peer, client[1].get_extra_info("sockname")) if is_introduced else b""
        connected = await self._upstream.connect(pool, header)
        self._events.ended(self.port, "proxied" if connected else "upstream_failed")
        if connected is None:
            return
        backend, stream = connected
        begun = time.monotonic()
        stream[1].write(said)
        parting = await splice(client, stream)
        if is_introduced:
            self._upstream.introduced(backend, parting, time.monotonic() - begun)
