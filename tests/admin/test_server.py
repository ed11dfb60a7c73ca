"""The endpoint on an address of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys

import httpx
import pytest

from obslib.admin import AdminServer, admin_app
from obslib.catalog import COMMON, Check, Component, Importance, Plane
from obslib.errors import AddressInUse, SettingsError
from obslib.guard import Guard
from obslib.health import Health, Verdict
from obslib.tally import Tally
from obslib.testing import FixedClock

DATABASE = Check(name="database", help="Answers.", plane=Plane.COMMON, serves=("HLT-02",), importance=Importance.REQUIRED)


async def probe(server, times):
    """Ask /readyz ``times`` times at once and return the statuses."""

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])

    return await asyncio.gather(*(ask() for _ in range(times)))


async def test_a_thousand_parallel_probes_run_no_check():
    """All of them are answered, from one result (R19)."""
    runs = []
    catalog = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)], signals=[DATABASE])
    health = Health(catalog=catalog, component="shop", clock=FixedClock(), guard=Guard(Tally()))
    health.check(DATABASE)(lambda: runs.append(1) or Verdict.ok())
    health.run_now()
    app = admin_app(exposition=lambda _: (b"", ""), snapshot=health.snapshot, livez=health.livez, debug={})
    server = AdminServer(app)
    try:
        assert set(await probe(server, 1000)) == {200}
    finally:
        server.close()
        health.stop()
    assert len(runs) == 1


async def test_probes_are_answered_while_a_scrape_hangs(server, host):
    """Rendering happens beside the event loop that answers probes."""
    host.may_render.clear()
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        scrape = asyncio.create_task(client.get("/metrics"))
        await asyncio.to_thread(host.asked.acquire, timeout=5)
        assert await probe(server, 20) == [200] * 20
        assert host.renders == []
        host.may_render.set()
        assert (await scrape).status_code == 200


def test_a_taken_port_is_one_clear_sentence(server, host):
    """It stops the start, and names the setting."""
    with pytest.raises(AddressInUse) as refused:
        AdminServer(host.app(), "127.0.0.1", server.port)
    assert str(refused.value) == (
        f"the admin endpoint's address 127.0.0.1:{server.port} is in use; stop the other process, "
        "or set OBSLIB_ADMIN_PORT (0 takes a free port)"
    )


@pytest.mark.parametrize(
    ("name", "port", "said"),
    [
        (
            "203.0.113.9",
            0,
            "the admin endpoint cannot bind '203.0.113.9' port 0 (Cannot assign requested address); set",
        ),
        (
            "127.0.0.1",
            70_000,
            "the admin endpoint cannot use port 70000; set OBSLIB_ADMIN_PORT to 0 (a free one)",
        ),
        ("127.0.0.1", -1, "the admin endpoint cannot use port -1; set OBSLIB_ADMIN_PORT"),
        ("no-such..host", 0, "the admin endpoint cannot use host 'no-such..host'"),
    ],
)
def test_an_address_that_cannot_be_bound_is_a_setting_to_correct(host, name, port, said):
    """Not this host's address, no name at all, or no port at all."""
    with pytest.raises(SettingsError) as refused:
        AdminServer(host.app(), name, port)
    assert str(refused.value).startswith(said)


def test_a_forked_child_does_not_keep_the_port(server):
    """The child has no thread that would accept, so it must not hold the socket open."""
    child = os.fork()
    if child == 0:
        os._exit(0 if server._socket.fileno() == -1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_address_is_free_again_after_close(host):
    """A restart takes the same port at once, even with a client still connected."""
    first = AdminServer(host.app())
    with httpx.Client(base_url=f"http://{first.address}") as client:
        assert client.get("/livez").status_code == 200
        assert first.close()
        second = AdminServer(host.app(), "127.0.0.1", first.port)
        assert client.get("/livez").status_code == 200
    assert second.close()


def test_closing_does_not_wait_for_what_hangs(host):
    """A scrape that never ends does not hold close() past its time."""
    server = AdminServer(host.app())
    host.may_render.clear()
    with socket.create_connection(("127.0.0.1", server.port)) as asked:
        asked.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        assert host.asked.acquire(timeout=5)
        server.close(0.6)
        assert host.renders == [], "it waited for the scrape"
    host.may_render.set()
    assert server.close(10)


def test_nothing_reaches_the_process_output_and_uvicorns_loggers_are_as_before(host, capfd):
    """Not on start, not for a broken request, not on close; the component's own uvicorn keeps its logging."""
    loggers = [logging.getLogger(f"uvicorn{name}") for name in ("", ".error", ".access", ".asgi")]

    def state():
        return [(x.level, x.propagate, tuple(x.handlers), tuple(x.filters)) for x in loggers]

    before = state()
    server = AdminServer(host.app())
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    assert server.close()
    assert capfd.readouterr() == ("", "")
    assert state() == before


def test_importing_the_room_loads_no_web_framework():
    """Starlette and uvicorn come with use."""
    code = "import sys, obslib.admin;print([m for m in ('starlette', 'uvicorn', 'h11', 'anyio') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout.replace("'", '"')) == []
