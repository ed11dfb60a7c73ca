"""TLS passed on by name, on real sockets: the right tenant or nobody, whatever the client says and however slowly."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from miniplatform.edge.destination import NamedRoutes
from miniplatform.edge.listener import Limits
from miniplatform.edge.pool import RoutePool
from miniplatform.edge.sniff import sniff
from miniplatform.edge.table import RoutingTable
from miniplatform.wire import EdgeConfig
from tests.miniplatform import edge_rig as rig
from tests.miniplatform.edge_rig import Told, backend, client_hello, config, exchange, free_port, gone, route, speaking, until

TLS = "tls_passthrough"
ENOUGH_S = 20.0


@pytest.fixture
def told() -> Told:
    """What the edge says during the test."""
    return Told()


@pytest.fixture
async def table(told: Told) -> AsyncIterator[RoutingTable]:
    """A routing table for three clients per listener, patient with a busy machine."""
    async with rig.serving(told, Limits(max_connections=3, sniff_timeout_s=ENOUGH_S)) as table:
        yield table


async def test_a_name_leads_to_its_backend_and_nothing_is_changed(table: RoutingTable, told: Told) -> None:
    """Not one byte of what the client said is missing, added or altered."""
    port, said = free_port(), client_hello("Web.Example") + b"\0and what follows it" * 1_000
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), protocol=TLS)))
        assert await exchange(port, said) == b"a:" + said
    assert (told.sniffs, told.results) == (["ok"], [(port, "proxied")])


async def test_a_name_in_many_pieces_is_found(table: RoutingTable, told: Told) -> None:
    """A ClientHello whose bytes come one segment at a time."""
    port, said = free_port(), client_hello("web.example")
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), protocol=TLS)))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for begin in range(0, len(said), 50):
            writer.write(said[begin : begin + 50])
            await asyncio.sleep(0.001)
        writer.write_eof()
        assert await reader.read() == b"a:" + said
        await gone(writer)
    assert told.sniffs == ["ok"]


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (client_hello(None), "no_sni"),
        (b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n", "not_tls"),
        (b"\x16\x03\x01\x00\x00", "malformed"),
        (b"\x16\x03\x01\x1f\xfe\x01", "malformed"),
    ],
)
async def test_who_names_nobody_is_closed(table: RoutingTable, told: Told, said: bytes, result: str) -> None:
    """Closed without a byte, counted by what was wrong, and no backend is any the wiser."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), protocol=TLS)))
        assert await _is_closed_after(port, said)
    assert (told.sniffs, told.results) == ([result], [(port, "rejected")])
    assert [b.reachability for b in table.backends()] == ["unknown"]


@pytest.mark.parametrize("pause_s", [None, 0.02])
async def test_who_takes_too_long_is_closed(told: Told, pause_s: float | None) -> None:
    """Silence and a byte every now and then come to the same end: the time is for the whole of it."""
    port, hello = free_port(), client_hello("web.example")
    async with rig.serving(told, Limits(sniff_timeout_s=0.2)) as table, speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), protocol=TLS)))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(hello[:20])
        sent = 20
        while not told.results:
            if pause_s is not None and sent < len(hello) - 1:
                writer.write(hello[sent : sent + 1])
                sent += 1
            await asyncio.sleep(pause_s or 0.01)
        await gone(writer)
    assert (told.sniffs, told.results) == (["timeout"], [(port, "rejected")])


async def test_a_busy_edge_does_not_blame_its_clients() -> None:
    """What has arrived in time counts, even when the edge comes to look at it only later."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        sniffing = asyncio.create_task(sniff(ours, timeout_s=0.05))
        await asyncio.sleep(0)  # it waits by now, and until this test waits too, the edge's event loop stands still
        theirs.sendall(client_hello("web.example"))
        time.sleep(0.1)
        assert (await sniffing).result == "ok"


@pytest.mark.parametrize("leaves", ["quietly", "with a reset"])
async def test_who_leaves_in_the_middle_is_counted(table: RoutingTable, told: Told, leaves: str) -> None:
    """A client that goes before it has named anybody."""
    port = free_port()
    table.apply(config(route(port, protocol=TLS)))
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(client_hello("web.example")[:30])
        if leaves == "with a reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await until(lambda: told.results)
    assert (told.sniffs, told.results) == (["io_error"], [(port, "rejected")])


async def test_a_name_that_is_not_there_is_no_route(table: RoutingTable, told: Told) -> None:
    """There is no default backend, not even when there is only one."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port), protocol=TLS)))
        assert await exchange(port, client_hello("other.example")) == b""
    assert (told.sniffs, told.results) == (["ok"], [(port, "no_route")])


async def test_no_client_ever_reaches_another_tenant(table: RoutingTable) -> None:
    """Over many names of two tenants on one port, swapped by each config, and over names that only look alike."""
    assert await _each_gets_its_own(table)


@pytest.mark.parametrize("mutant", ["falls back to the first", "takes subdomains", "keeps the old config's names"])
async def test_mutants_that_reach_another_tenant_are_caught(
    table: RoutingTable, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    """Each way to be generous with names is seen by the check above."""
    monkeypatch.setattr(NamedRoutes, "find", MUTANTS[mutant])
    FIRST_SEEN.clear()
    assert not await _each_gets_its_own(table)


async def test_a_name_goes_to_whom_it_belongs_when_it_has_been_said(table: RoutingTable) -> None:
    """A config that gives the name to another tenant while a client speaks is the one that counts."""
    port, hello = free_port(), client_hello("web.example")
    async with speaking("old") as old, speaking("new") as new:
        table.apply(config(route(port, backend(old), protocol=TLS)))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(hello[:40])
        await until(lambda: table.listeners[port].active == 1)
        table.apply(config(route(port, backend(new), name="rt_2", org="org_2", protocol=TLS)))
        writer.write(hello[40:])
        writer.write_eof()
        assert await reader.read() == b"new:" + hello
        await gone(writer)


@pytest.mark.parametrize("becomes", ["nothing", "raw"])
async def test_a_name_that_is_gone_when_it_has_been_said_is_no_route(table: RoutingTable, told: Told, becomes: str) -> None:
    """Whoever has the port by then does not get a client that asked for somebody by name."""
    port, hello = free_port(), client_hello("web.example")
    async with speaking("old") as old, speaking("new") as new:
        table.apply(config(route(port, backend(old), protocol=TLS)))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(hello[:40])
        await until(lambda: table.listeners[port].active == 1)
        table.apply(config(*([route(port, backend(new), name="rt_2", org="org_2")] if becomes == "raw" else [])))
        writer.write(hello[40:])
        assert await reader.read() == b""
        await gone(writer)
    await until(lambda: told.results)
    assert told.results == [(port, "no_route")]


@pytest.mark.parametrize(("silent", "is_served"), [(2, True), (3, False), (4, False)])
async def test_silent_clients_hold_their_places_and_nothing_else(
    table: RoutingTable, told: Told, silent: int, is_served: bool
) -> None:
    """With the cap at three: beside two that say nothing the third is served at once, past it clients are rejected at once.

    Another listener goes on as if nothing were, and a place that is given up is given again.
    """
    port, quiet = free_port(), free_port()
    async with speaking("a") as upstream_port:
        there = backend(upstream_port)
        table.apply(config(route(port, there, protocol=TLS), route(quiet, there, name="rt_2")))
        writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(silent)]
        await until(lambda: table.listeners[port].active == min(silent, 3) and len(told.results) == max(0, silent - 3))
        hello = client_hello("web.example")
        assert (await exchange(port, hello) == b"a:" + hello) is is_served
        assert await rig.ask(quiet) == "a:hello"
        for writer in writers:
            await gone(writer)
        await until(lambda: table.listeners[port].active == 0)
        assert await exchange(port, hello) == b"a:" + hello
    rejected = [result for where, result in told.results if where == port and result == "rejected"]
    assert len(rejected) == max(0, silent + 1 - 3) + min(silent, 3)  # past the cap, and those who left without a word
    assert told.sniffs.count("io_error") == min(silent, 3)


async def test_a_port_in_use_costs_every_name_on_it(table: RoutingTable) -> None:
    """All of them are named, and all are served once the port is free."""
    async with speaking("a") as upstream_port:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            names = ("one.example", "two.example")
            table.apply(config(*(route(port, backend(upstream_port), name=n, hostname=n, protocol=TLS) for n in names)))
            assert (sorted(table.refused), list(table.unbound()), table.is_intact()) == (sorted(names), [port], True)
        assert sorted(found.route_id for found in table.retry()) == sorted(names)
        assert (table.refused, table.is_intact()) == ({}, True)
        for name in names:
            assert (await exchange(port, client_hello(name))).startswith(b"a:")


def _fall_back(routes: NamedRoutes, hostname: str) -> RoutePool | None:
    return routes._by_name.get(hostname.lower(), routes.pools[0])


def _take_subdomains(routes: NamedRoutes, hostname: str) -> RoutePool | None:
    return next((pool for name, pool in routes._by_name.items() if ("." + hostname.lower()).endswith("." + name)), None)


def _remember(routes: NamedRoutes, hostname: str) -> RoutePool | None:
    pool = routes._by_name.get(hostname.lower())
    return pool and FIRST_SEEN.setdefault(hostname.lower(), pool)


FIRST_SEEN: dict[str, RoutePool] = {}
MUTANTS: dict[str, Callable[[NamedRoutes, str], RoutePool | None]] = {
    "falls back to the first": _fall_back,
    "takes subdomains": _take_subdomains,
    "keeps the old config's names": _remember,
}


async def _each_gets_its_own(table: RoutingTable) -> bool:
    dice = random.Random(14)
    names = ["web.example", "web.example.net", "a.web.example", "xn--wb-fka.example", "w", *_invented(dice, 15)]
    port = free_port()
    async with AsyncExitStack() as stack:
        tenants = {org: await stack.enter_async_context(speaking(org)) for org in ("north", "south")}
        for _ in range(3):
            owners = {name: dice.choice(["north", "south", ""]) for name in names}
            table.apply(_owned(port, owners, tenants))
            for name, owner in owners.items():
                for asked, expected in ((_any_case(dice, name), owner), *((near, "") for near in _near(name, names))):
                    got, _, _ = (await exchange(port, client_hello(asked))).partition(b":")
                    if got.decode() != expected:
                        return False
    return True


def _owned(port: int, owners: dict[str, str], tenants: dict[str, int]) -> EdgeConfig:
    return config(
        *(
            route(port, backend(tenants[org]), name=f"rt_{name}", hostname=name, org=org, protocol=TLS)
            for name, org in owners.items()
            if org
        )
    )


def _invented(dice: random.Random, count: int) -> list[str]:
    return ["".join(dice.choice("ab") for _ in range(3)) + f".{n}.example" for n in range(count)]


def _any_case(dice: random.Random, name: str) -> str:
    return "".join(dice.choice((letter.upper(), letter)) for letter in name)


def _near(name: str, names: Sequence[str]) -> list[str]:
    found = (f"sub.{name}", f"{name}.example", f"x{name}", f"{name}.")
    return [near for near in found if near not in names]


async def _is_closed_after(port: int, said: bytes) -> bool:
    """Whether the edge closes without being left first and without a byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True
    finally:
        await gone(writer)
