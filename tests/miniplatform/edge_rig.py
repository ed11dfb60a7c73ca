"""A routing table on real sockets: backends that say who they are, clients, and all that the edge says about them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from miniplatform.edge.backends import Backend
from miniplatform.edge.listener import Limits, bind
from miniplatform.edge.table import RoutingTable
from miniplatform.edge.upstream import Upstream
from miniplatform.wire import EdgeBackend, EdgeConfig, EdgeRoute

__all__ = [
    "Told", "ask", "backend", "client_hello", "config", "exchange", "free_port", "gone", "is_free", "route", "serving",
    "speaking", "until",
]  # fmt: skip


class Told:
    """Writes down what the edge says."""

    def __init__(self) -> None:
        self.results: list[tuple[int, str]] = []
        self.sniffs: list[str] = []
        self.failures: list[str] = []
        self.headers: list[str] = []
        self.early: list[bool] = []
        self.gates: list[tuple[str, str]] = []
        self.closed_ports: list[int] = []

    def ended(self, port: int, result: str) -> None:
        """What became of a client."""
        self.results.append((port, result))

    def sniffed(self, result: str, seconds: float) -> None:
        """What a TLS client's first bytes came to."""
        assert seconds >= 0
        self.sniffs.append(result)

    def closed(self, port: int) -> None:
        """A listener is gone."""
        self.closed_ports.append(port)

    def connected(self, seconds: float) -> None:
        """A client reached a backend."""
        assert seconds >= 0

    def probed(self) -> None:
        """A probe reached a backend."""

    def connect_failed(self, reason: str, **_: str) -> None:
        """A client did not reach a backend."""
        self.failures.append(reason)

    def proxy_header(self, result: str) -> None:
        """A PROXY header was written or could not be."""
        self.headers.append(result)

    def closed_early(self, *, is_news: bool, **_: str) -> None:
        """A backend left right after the PROXY header."""
        self.early.append(is_news)

    def no_backend(self, **_: str) -> None:
        """Nothing was left to try."""
        self.failures.append("no_eligible_backend")

    def gate(self, backend: Backend, change: str, reason: str) -> None:
        """A backend left or rejoined rotation."""
        self.gates.append((change, reason))


@asynccontextmanager
async def serving(told: Told, limits: Limits) -> AsyncIterator[RoutingTable]:
    """A routing table that tells ``told``, until the block ends."""
    upstream = Upstream(told, connect_timeout_s=5.0, probe_timeout_s=5.0, probe_every_s=0.5)
    table = RoutingTable(upstream, told, told.gate, limits)
    yield table
    await table.close(grace_s=0.2)
    await asyncio.sleep(0.01)


@asynccontextmanager
async def speaking(name: str) -> AsyncIterator[int]:
    """A backend that answers ``<name>:<everything it was sent>`` once its client has finished; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            said = await reader.read()
            writer.write(f"{name}:".encode() + said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a port can be bound."""
    try:
        bind("127.0.0.1", port).close()
    except OSError:
        return False
    return True


def backend(port: int, *, state: str = "ready", name: str = "") -> EdgeBackend:
    """A backend as the control plane hands it out."""
    return EdgeBackend(instance_id=name or f"inst_{port}", address="127.0.0.1", port=port, state=state)  # type: ignore[arg-type]


def route(
    port: int,
    *backends: EdgeBackend,
    name: str = "rt_1",
    hostname: str = "web.example",
    protocol: str = "tcp_raw",
    proxy: str = "off",
    org: str = "org_1",
) -> EdgeRoute:
    """A route to these backends."""
    return EdgeRoute(
        route_id=name, org_id=org, env_id="env_1", hostname=hostname, listener_port=port, process_type="web",
        protocol=protocol, proxy_protocol=proxy, backends=backends,
    )  # type: ignore[arg-type]  # fmt: skip


def config(*routes: EdgeRoute) -> EdgeConfig:
    """A config of these routes."""
    return EdgeConfig.of(routes, cursor_event_id=1, head_event_id=1)


def client_hello(hostname: str | None) -> bytes:
    """What OpenSSL says first to a server of that name, or to one that it does not name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=hostname)
    with suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


async def ask(port: int, text: str = "hello") -> str:
    """Like ``exchange``, in words."""
    return (await exchange(port, text.encode())).decode()


async def exchange(port: int, said: bytes) -> bytes:
    """Send it, close this half, and return everything that comes back; nothing when the connection is refused or reset."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return b""
    try:
        writer.write(said)
        writer.write_eof()
        return await reader.read()
    except OSError:
        return b""
    finally:
        await gone(writer)


async def gone(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait until it is."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def until(condition: Callable[[], object], deadline_s: float = 20.0) -> None:
    """Wait for ``condition`` by looking again and again."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.005)
