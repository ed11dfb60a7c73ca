"""Connecting to a backend, for a client or only to see whether it works, and what a failure is called."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, TypedDict

from miniplatform.edge.backends import Backend, LocalGate
from miniplatform.edge.pool import RoutePool
from miniplatform.edge.splice import Parting, Stream
from obslib.catalog.platform.terms import UpstreamReasonName

__all__ = ["EARLY_S", "Connected", "Upstream", "UpstreamEvents", "failure_reason"]

Connected = tuple[Backend, Stream]
EARLY_S = 1.0
"""A backend that closes without a word within this time of the PROXY header has most likely not understood it."""
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EADDRNOTAVAIL})

_UNUSABLE = (OSError, OverflowError, ValueError)  # the last two: an address or port that is none


class _Name(TypedDict):
    route_id: str
    backend_address: str
    instance_id: str


class UpstreamEvents(Protocol):
    """Who wants to know how connections to backends go."""

    def connected(self, seconds: float) -> None:
        """A client's connection reached a backend."""
        ...

    def connect_failed(self, reason: UpstreamReasonName, *, route_id: str, backend_address: str, instance_id: str) -> None:
        """A client's connection did not reach this backend; the next one is tried."""
        ...

    def proxy_header(self, result: Literal["success", "failure"]) -> None:
        """A PROXY header was written to a backend, or could not be."""
        ...

    def closed_early(self, *, route_id: str, backend_address: str, instance_id: str, is_news: bool) -> None:
        """A backend closed right after the PROXY header; ``is_news`` unless that is what it did last time."""
        ...

    def probed(self) -> None:
        """A probe reached a backend."""
        ...

    def no_backend(self, *, route_id: str) -> None:
        """No backend was left to try."""
        ...


class Upstream:
    """Connects; every result changes what is known of the backend."""

    def __init__(
        self, events: UpstreamEvents, *, connect_timeout_s: float, probe_timeout_s: float, probe_every_s: float
    ) -> None:
        self._events = events
        self._connect_timeout_s = connect_timeout_s
        self._probe_timeout_s = probe_timeout_s
        self._probe_every_s = probe_every_s

    async def connect(self, pool: RoutePool, header: bytes = b"") -> Connected | None:
        """A connection to the next eligible backend that answers, each tried once; None when none does.

        ``header`` is written before anything else and is part of connecting: it has gone out when this returns.
        """
        was_tried = False
        for backend in pool.candidates():
            was_tried = True
            begun = time.monotonic()
            try:
                stream = await self._open(backend, self._connect_timeout_s)
            except _UNUSABLE as error:
                self._connect_failed(backend, failure_reason(error))
                continue
            if header and not await self._introduce(stream[1], header):
                self._connect_failed(backend, "proxy_header_write")
                continue
            self._reached(backend)
            self._events.connected(time.monotonic() - begun)
            return backend, stream
        if not was_tried:
            self._events.no_backend(route_id=pool.route.route_id)
        return None

    def introduced(self, backend: Backend, parting: Parting, seconds: float) -> None:
        """Judge a backend by a conversation of ``seconds`` that began with a header: whether it understands that at all."""
        if parting.has_answered:
            backend.answered()
        elif parting.first == "backend" and seconds <= EARLY_S:
            self._events.closed_early(**_named(backend), is_news=backend.closed_early())

    async def probe_due(self, backends: Iterable[Backend]) -> None:
        """Probe every backend whose time has come; those the control plane does not call ready are left alone."""
        await asyncio.gather(*(self._probe(backend) for backend in _due(backends)))

    async def _probe(self, backend: Backend) -> None:
        try:
            _, writer = await self._open(backend, self._probe_timeout_s)
        except _UNUSABLE as error:
            self._missed(backend, failure_reason(error), gate="probe_failed")
            return
        self._reached(backend)
        self._events.probed()
        writer.close()

    async def _open(self, backend: Backend, timeout_s: float) -> Stream:
        async with asyncio.timeout(timeout_s):
            return await asyncio.open_connection(backend.wire.address, backend.wire.port)

    async def _introduce(self, writer: asyncio.StreamWriter, header: bytes) -> bool:
        try:
            writer.write(header)
            async with asyncio.timeout(self._connect_timeout_s):
                await writer.drain()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        except OSError:
            writer.transport.abort()
            self._events.proxy_header("failure")
            return False
        self._events.proxy_header("success")
        return True

    def _reached(self, backend: Backend) -> None:
        backend.reached(now=time.monotonic(), wall=time.time(), next_probe_s=self._probe_every_s)

    def _connect_failed(self, backend: Backend, reason: UpstreamReasonName) -> None:
        self._missed(backend, reason, gate="connect_failed")
        self._events.connect_failed(reason, **_named(backend))

    def _missed(self, backend: Backend, reason: UpstreamReasonName, *, gate: LocalGate) -> None:
        backend.missed(reason, gate=gate, now=time.monotonic(), wall=time.time())


def failure_reason(error: Exception) -> UpstreamReasonName:
    """The reason of requirements §3.4 for a failed connection."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError):
        return "reset"
    return "unreachable" if isinstance(error, OSError) and error.errno in _UNREACHABLE else "internal"


def _named(backend: Backend) -> _Name:
    return {"route_id": backend.route_id, "backend_address": backend.address, "instance_id": backend.wire.instance_id}


def _due(backends: Iterable[Backend]) -> Iterator[Backend]:
    now = time.monotonic()
    return (b for b in backends if b.wire.state == "ready" and now >= b.next_probe)
