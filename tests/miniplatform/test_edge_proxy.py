"""The PROXY protocol: a backend is told whose connection it has, before anything else and only where that is wanted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from miniplatform.edge.listener import Limits, Listener, bind
from miniplatform.edge.proxy_header import proxy_v2
from miniplatform.edge.splice import Stream
from miniplatform.edge.table import RoutingTable
from miniplatform.edge.upstream import Upstream
from tests.miniplatform import edge_rig as rig
from tests.miniplatform.edge_rig import Told, backend, client_hello, config, exchange, free_port, gone, route, speaking, until

# As proxy-protocol.txt §2.2 has it: signature, version 2 and PROXY, family and STREAM, length, addresses, ports.
IPV4 = bytes.fromhex("0d0a0d0a000d0a515549540a 21 11 000c  c0000201 cb007105 d431 01bb")
IPV6 = bytes.fromhex(
    "0d0a0d0a000d0a515549540a 21 21 0024"
    " 20010db8000000000000000000000001 20010db8000000000000000000000002 d431 01bb"
)  # fmt: skip


@pytest.fixture
def told() -> Told:
    """What the edge says during the test."""
    return Told()


@pytest.fixture
async def table(told: Told) -> AsyncIterator[RoutingTable]:
    """A routing table, patient with a busy machine."""
    async with rig.serving(told, Limits(sniff_timeout_s=20.0)) as table:
        yield table


@pytest.mark.parametrize(
    ("client", "listener", "header"),
    [
        (("192.0.2.1", 54321), ("203.0.113.5", 443), IPV4),
        (("2001:db8::1", 54321, 0, 0), ("2001:db8::2", 443, 0, 0), IPV6),
        (("2001:db8::1%eth0", 54321, 0, 2), ("2001:db8::2", 443, 0, 0), IPV6),
        (("::ffff:192.0.2.1", 54321, 0, 0), ("::ffff:203.0.113.5", 443, 0, 0), IPV4),
    ],
)
def test_the_header_is_the_specification_s(client: tuple[str, int], listener: tuple[str, int], header: bytes) -> None:
    """Byte for byte, for IPv4, IPv6, an IPv6 address with its zone, and IPv4 that came through an IPv6 socket."""
    assert proxy_v2(client, listener) == header


@pytest.mark.parametrize("protocol", ["tcp_raw", "tls_passthrough"])
async def test_the_header_comes_before_every_byte_of_the_client(table: RoutingTable, told: Told, protocol: str) -> None:
    """With the client's own address and the listener's, and then exactly what the client said."""
    port, said = free_port(), client_hello("web.example") + b"and more"
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), protocol=protocol, proxy="v2")))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        writer.write_eof()
        header = proxy_v2(writer.get_extra_info("sockname"), ("127.0.0.1", port))
        assert await reader.read() == b"a:" + header + said
        await gone(writer)
    assert (told.headers, told.results) == (["success"], [(port, "proxied")])


async def test_a_client_of_an_ipv6_listener_is_told_as_one(told: Told) -> None:
    """INET6 on a real socket, where the machine has one."""
    try:
        listening = bind("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with rig.serving(told, Limits()) as table, speaking("a") as upstream_port:
        table.apply(config(route(free_port(), backend(upstream_port), proxy="v2")))
        listener = Listener(listening, table._upstream, told, Limits())
        listener.start(table.pools["rt_1"])
        reader, writer = await asyncio.open_connection("::1", listener.port)
        writer.write_eof()
        header = proxy_v2(writer.get_extra_info("sockname"), ("::1", listener.port))
        assert await reader.read() == b"a:" + header
        assert header[13] == 0x21
        await gone(writer)
        listener.stop()
        await listener.finish()


async def test_no_header_where_none_is_wanted(table: RoutingTable, told: Told) -> None:
    """Off is the default, route by route."""
    plain, told_of = free_port(), free_port()
    async with speaking("a") as upstream_port:
        there = backend(upstream_port)
        table.apply(config(route(plain, there), route(told_of, there, name="rt_2", proxy="v2")))
        assert await rig.ask(plain) == "a:hello"
        assert (await exchange(told_of, b"hello")).startswith(b"a:\r\n\r\n\0\r\nQUIT\n")
    assert told.headers == ["success"]


async def test_a_probe_sends_no_header(table: RoutingTable, told: Told) -> None:
    """A probe is nobody's connection; it says nothing at all."""
    heard: list[bytes] = []
    async with _hearing(heard) as upstream_port:
        table.apply(config(route(free_port(), backend(upstream_port), proxy="v2")))
        await table._upstream.probe_due(list(table.backends()))
        await until(lambda: heard)
    assert (heard, told.headers, [b.reachability for b in table.backends()]) == ([b""], [], ["reachable"])


async def test_a_backend_that_cannot_be_told_is_passed_over(
    table: RoutingTable, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that fails is a failed connect with a reason of its own; the client gets the next backend, with a header."""
    port = free_port()
    async with speaking("deaf") as deaf, speaking("alive") as alive:
        monkeypatch.setattr(Upstream, "_open", _deafened(Upstream._open, deaf))
        table.apply(config(route(port, backend(deaf), backend(alive), proxy="v2")))
        assert (await exchange(port, b"hello")).startswith(b"alive:\r\n\r\n\0\r\nQUIT\n")
    assert (told.failures, told.headers, told.results) == (
        ["proxy_header_write"], ["failure", "success"], [(port, "proxied")],
    )  # fmt: skip
    assert [b.gate for b in table.backends()] == ["connect_failed", ""]
    assert [b.last_failure_reason for b in table.backends()] == ["proxy_header_write", ""]


async def test_a_backend_that_closes_right_after_the_header_is_said_once(table: RoutingTable, told: Told) -> None:
    """Counted each time, news the first time, and no reason to take it out of rotation."""
    port = free_port()
    async with _leaving_early() as upstream_port:
        table.apply(config(route(port, backend(upstream_port), proxy="v2")))
        for _ in range(3):
            assert await _hangs_on_to(port) == b""
        await until(lambda: len(told.early) == 3)
    assert (told.early, told.gates) == ([True, False, False], [])
    assert [(b.reachability, b.gate, b.last_failure_reason) for b in table.backends()] == [("reachable", "", "closed_early")]


async def test_a_backend_that_answers_after_all_does_not_close_early_any_more(table: RoutingTable) -> None:
    """What is told of it in describe goes away with the first answer."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), proxy="v2")))
        [known] = table.backends()
        assert known.closed_early()
        assert await exchange(port, b"hello") != b""
        await until(lambda: known.last_failure_reason == "")


async def test_a_client_that_leaves_first_is_no_fault_of_the_backend(table: RoutingTable, told: Told) -> None:
    """A backend that has nothing to say to a client that is gone did not close early."""
    port = free_port()
    heard: list[bytes] = []
    async with _hearing(heard) as upstream_port:
        table.apply(config(route(port, backend(upstream_port), proxy="v2")))
        assert await exchange(port, b"one-way") == b""
        await until(lambda: table.listeners[port].active == 0)
    assert heard[0].endswith(b"one-way")
    assert told.early == []


async def test_without_a_header_nothing_closes_early(table: RoutingTable, told: Told) -> None:
    """It is a matter of the PROXY protocol only."""
    port = free_port()
    async with _leaving_early() as upstream_port:
        table.apply(config(route(port, backend(upstream_port))))
        assert await _hangs_on_to(port) == b""
        await until(lambda: table.listeners[port].active == 0)
    assert told.early == []


def _deafened(opened: object, port: int) -> object:
    """Opening as it is, but what is written to ``port`` fails as it does when the other side has gone."""

    async def open_(upstream: Upstream, to: object, timeout_s: float) -> Stream:
        reader, writer = await opened(upstream, to, timeout_s)  # type: ignore[operator]
        if to.wire.port == port:  # type: ignore[attr-defined]
            writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
        return reader, writer

    return open_


@asynccontextmanager
async def _leaving_early() -> AsyncIterator[int]:
    """A backend that does not speak the PROXY protocol: it hears something odd and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(28)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _hearing(heard: list[bytes]) -> AsyncIterator[int]:
    """A backend that listens to the end and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _hangs_on_to(port: int) -> bytes:
    """What a client gets that says something and would stay."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    try:
        return await reader.read()
    except OSError:
        return b""
    finally:
        with suppress(OSError):
            await gone(writer)
