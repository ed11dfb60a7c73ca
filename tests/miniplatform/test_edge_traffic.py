"""The edge on real sockets: who is connected to whom, and what a config that cannot be applied leaves behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, suppress

import pytest

from miniplatform.edge import table as table_module
from miniplatform.edge.listener import Limits
from miniplatform.edge.table import ConfigRefused, RoutingTable
from obslib.errors import ErrorClass
from tests.miniplatform.edge_rig import Told, ask, backend, config, free_port, gone, is_free, route, serving, speaking, until

Table = RoutingTable


@pytest.fixture
def told() -> Told:
    """What the edge says during the test."""
    return Told()


@pytest.fixture
async def table(told: Told) -> AsyncIterator[Table]:
    """A routing table for three clients per listener."""
    async with serving(told, Limits(max_connections=3)) as table:
        yield table


async def test_clients_are_spread_over_the_backends(table: Table, told: Told) -> None:
    """Each of three backends gets every third client, and half-closed requests get their whole answer."""
    port = free_port()
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(speaking(name)) for name in "abc"]
        table.apply(config(route(port, *map(backend, ports))))
        answers = [await ask(port) for _ in range(6)]
    assert answers == ["a:hello", "b:hello", "c:hello", "a:hello", "b:hello", "c:hello"]
    assert told.results == [(port, "proxied")] * 6


async def test_a_large_transfer_arrives_whole(table: Table) -> None:
    """Eight megabytes go through, more than any buffer on the way holds."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port))))
        assert await ask(port, "x" * 8_000_000) == "a:" + "x" * 8_000_000


async def test_the_next_backend_is_tried_and_the_dead_one_gated(table: Table, told: Told) -> None:
    """A client does not notice a dead backend, and the next client is not sent there."""
    port = free_port()
    async with speaking("alive") as alive:
        table.apply(config(route(port, backend(free_port()), backend(alive))))
        assert [await ask(port) for _ in range(3)] == ["alive:hello"] * 3
    assert told.failures == ["refused"]
    assert told.gates == [("removed", "connect_failed")]
    assert [(b.reachability, b.gate) for b in table.backends()] == [("unreachable", "connect_failed"), ("reachable", "")]


@pytest.mark.parametrize("state", ["draining", "not_ready"])
async def test_a_backend_that_is_not_ready_gets_no_new_connection(table: Table, told: Told, state: str) -> None:
    """Only what the control plane calls ready is offered; with nothing left the client is closed."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port, state=state))))
        assert await ask(port) == ""
    assert (told.results, told.failures) == ([(port, "upstream_failed")], ["no_eligible_backend"])


async def test_a_draining_backend_keeps_the_connections_it_has(table: Table) -> None:
    """A config that drains a backend does not cut who is connected to it."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port))))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"half ")
        await until(lambda: table.listeners[port].active == 1 and next(table.backends()).reachability == "reachable")
        table.apply(config(route(port, backend(upstream_port, state="draining"))))
        writer.write(b"and half")
        writer.write_eof()
        assert await reader.read() == b"a:half and half"
        await gone(writer)


async def test_past_the_cap_clients_are_rejected(table: Table, told: Told) -> None:
    """The fourth client of a listener for three is closed at once, and a place that is freed is given again."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port))))
        inside = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await until(lambda: len(told.results) == 3)
        assert await ask(port) == ""
        for _, writer in inside:
            await gone(writer)
        await until(lambda: table.listeners[port].active == 0)
        assert await ask(port) == "a:hello"
    assert [result for _, result in told.results] == ["proxied"] * 3 + ["rejected", "proxied"]


async def test_probes_find_out_without_a_client(table: Table, told: Told) -> None:
    """A probe gates a dead backend and leaves alone what the control plane does not call ready."""
    upstream = table._upstream
    async with speaking("a") as alive:
        table.apply(config(route(free_port(), backend(alive), backend(free_port()), backend(free_port(), state="not_ready"))))
        await upstream.probe_due(list(table.backends()))
    assert [(b.reachability, b.gate) for b in table.backends()] == [
        ("reachable", ""),
        ("unreachable", "probe_failed"),
        ("unknown", "not_ready"),
    ]
    assert told.gates == [("removed", "probe_failed")]


async def test_what_is_known_of_a_backend_survives_a_config(table: Table) -> None:
    """Another route changes; the backend found dead stays gated."""
    port, dead = free_port(), free_port()
    table.apply(config(route(port, backend(dead))))
    assert await ask(port) == ""
    table.apply(config(route(port, backend(dead)), route(free_port(), name="rt_2")))
    assert [b.gate for b in table.backends()] == ["connect_failed"]


async def test_an_invalid_config_changes_nothing(table: Table, told: Told) -> None:
    """Nothing of a config that is refused shows: not the new ports, not the changed or missing routes."""
    assert await _survives_an_invalid_config(table)
    assert told.closed_ports == []


async def test_an_invalid_config_half_applied_is_noticed_mutant(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that lets the last of two routes on one port win is caught by the check above."""
    monkeypatch.setattr(table_module, "_by_port", lambda config: {r.listener_port: [r] for r in config.routes})
    assert not await _survives_an_invalid_config(table)


async def test_a_port_in_use_costs_its_own_route_only(table: Table) -> None:
    """The rest of the config is in force, the route is named with the reason, and it is served once the port is free."""
    assert await _serves_all_but_the_taken_port(table)


@pytest.mark.parametrize("mutant", ["all or nothing", "binds after the switch"])
async def test_a_port_that_costs_others_is_noticed_mutant(table: Table, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    """A table that gives up at the first taken port, or retires listeners before it binds, is caught by the check above."""
    careful = RoutingTable._bind

    def careless(self: RoutingTable, ports: Iterable[int]) -> tuple[dict[int, socket.socket], dict[int, str]]:
        wanted = list(ports)
        if mutant == "binds after the switch" and self.config is not None:
            for port in list(self.listeners):
                self._retire(self.listeners.pop(port))
        bound, taken = careful(self, wanted)
        if mutant == "all or nothing" and taken:
            for listening in bound.values():
                listening.close()
            raise ConfigRefused("a port cannot be bound", ErrorClass.CONFLICT)
        return bound, taken

    monkeypatch.setattr(RoutingTable, "_bind", careless)
    is_noticed = False
    try:
        is_noticed = not await _serves_all_but_the_taken_port(table)
    except (ConfigRefused, KeyError):
        is_noticed = True
    assert is_noticed


RAW, TLS = ({"protocol": protocol} for protocol in ("tcp_raw", "tls_passthrough"))


@pytest.mark.parametrize(
    ("first", "second", "claim"),
    [
        (RAW, RAW, "raw port {port}"),
        (RAW, TLS, "raw port {port}"),
        (TLS, RAW, "raw port {port}"),
        (TLS, {**TLS, "hostname": "WEB.example"}, "'WEB.example' on port {port}"),
    ],
)
async def test_two_routes_that_would_fight_for_a_client_are_refused(
    table: Table, first: dict[str, str], second: dict[str, str], claim: str
) -> None:
    """Nobody is sent to the wrong tenant: such a config is not served at all."""
    port = free_port()
    with pytest.raises(ConfigRefused) as refused:
        table.apply(config(route(port, name="rt_1", **first), route(port, name="rt_2", **second)))
    assert str(refused.value) == f"routes 'rt_1' and 'rt_2' both claim {claim.format(port=port)}"
    assert table.config is None
    assert table.listeners == {}


async def test_a_route_that_goes_takes_its_port_with_it(table: Table, told: Told) -> None:
    """The port is free for the next, and who was connected may finish."""
    port = free_port()
    async with speaking("a") as upstream_port:
        table.apply(config(route(port, backend(upstream_port))))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: told.results == [(port, "proxied")])
        table.apply(config())
        await until(lambda: is_free(port))
        writer.write_eof()
        assert await reader.read() == b"a:"
        await gone(writer)
        await until(lambda: told.closed_ports == [port])


async def _survives_an_invalid_config(table: Table) -> bool:
    first, second, fresh = free_port(), free_port(), free_port()
    async with speaking("a") as upstream_port:
        old = config(route(first, backend(upstream_port)), route(second, backend(upstream_port), name="rt_2"))
        table.apply(old)
        with suppress(ConfigRefused):
            table.apply(config(route(first), route(fresh, name="rt_3"), route(fresh, name="rt_4")))
        answers = [await ask(p) for p in (first, second, fresh)]
        return answers == ["a:hello", "a:hello", ""] and table.config is old and table.is_intact() and is_free(fresh)


async def _serves_all_but_the_taken_port(table: Table) -> bool:
    kept, fresh = free_port(), free_port()
    async with speaking("a") as upstream_port:
        behind = backend(upstream_port)
        table.apply(config(route(kept, behind), route(free_port(), behind, name="rt_gone")))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            new = config(route(kept, behind), route(port, behind, name="rt_3"), route(fresh, behind, name="rt_4"))
            table.apply(new)
            answers = [await ask(kept), await ask(fresh)]
            refused = {route_id: (r.problem, r.why) for route_id, r in table.refused.items()}
            was_intact = table.is_intact() and table.retry() == [] and table.config is new
        recovered = [r.route_id for r in table.retry()]
        return (
            answers == ["a:hello", "a:hello"]
            and refused == {"rt_3": ("port_unavailable", "Address already in use")}
            and was_intact
            and (recovered, table.refused, table.is_intact()) == (["rt_3"], {}, True)
            and await ask(port) == "a:hello"
        )
