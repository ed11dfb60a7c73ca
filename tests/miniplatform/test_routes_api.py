"""Which routes may share a port: decided when a route is made, for an edge refuses a contradictory config to everybody."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from miniplatform.control_plane import routes as module
from tests.miniplatform.platform_in_process import InProcess, deployed

pytestmark = pytest.mark.slow

TLS: dict[str, Any] = {"process_type": "web", "protocol": "tls_passthrough"}
RAW: dict[str, Any] = {"process_type": "web", "protocol": "tcp_raw"}


async def test_two_orgs_share_a_tls_port_under_different_names(plane: InProcess) -> None:
    """The normal case; the same name a second time is a conflict, whoever asks."""
    north, south = await _org(plane, "north"), await _org(plane, "south")
    for (client, env), name in ((north, "north.example"), (south, "south.example")):
        made = await client.post(f"{env}/routes", json={**TLS, "hostname": name, "listener_port": 8443, "proxy_protocol": "v2"})
        assert (made.status_code, made.json()["protocol"], made.json()["proxy_protocol"]) == (201, "tls_passthrough", "v2")
    client, env = south
    again = await client.post(f"{env}/routes", json={**TLS, "hostname": "north.example", "listener_port": 8443})
    assert (again.status_code, again.json()["detail"]) == (409, "the route 'north.example:8443' is taken; choose another")


async def test_a_port_is_either_raw_or_tls(plane: InProcess) -> None:
    """Refused in one sentence both ways round, and free for the other kind once the last route is gone."""
    client, env = await _org(plane, "acme")
    tls = (await client.post(f"{env}/routes", json={**TLS, "hostname": "a.example", "listener_port": 8443})).json()
    raw = await client.post(f"{env}/routes", json={**RAW, "hostname": "b.example", "listener_port": 8443})
    assert (raw.status_code, raw.json()["code"], raw.json()["detail"]) == (
        409, "conflict",
        "port 8443 carries tls_passthrough routes, and a tcp_raw route needs a port of its own; choose another",
    )  # fmt: skip
    assert (await client.delete(f"{env}/routes/{tls['route_id']}")).status_code == 201
    assert (await client.post(f"{env}/routes", json={**RAW, "hostname": "b.example", "listener_port": 8443})).status_code == 201
    late = await client.post(f"{env}/routes", json={**TLS, "hostname": "a.example", "listener_port": 8443})
    assert (late.status_code, late.json()["detail"]) == (
        409, "port 8443 belongs to a tcp_raw route, which shares it with no other; choose another port",
    )  # fmt: skip
    assert [route["hostname"] for route in (await client.get(f"{env}/routes")).json()["items"]] == ["b.example"]


@pytest.mark.parametrize("is_mutant", [False, True])
async def test_of_two_kinds_at_once_one_wins(plane: InProcess, monkeypatch: pytest.MonkeyPatch, is_mutant: bool) -> None:
    """However the requests meet, no port ends up with both; a mutant that does not ask again lets them in."""
    client, env = await _org(plane, "acme")
    if is_mutant:
        monkeypatch.setattr(module, "_refuse_mixed_port", _ask_nothing)
    wanted = [{**kind, "hostname": f"{n}.example", "listener_port": 9000 + n // 2} for n, kind in enumerate([RAW, TLS] * 6)]
    answers = await asyncio.gather(*(client.post(f"{env}/routes", json=body) for body in wanted))
    assert {answer.status_code for answer in answers} == ({201} if is_mutant else {201, 409})
    made = [route["listener_port"] for route in (await client.get(f"{env}/routes")).json()["items"]]
    assert (sorted(made) == sorted(set(made))) is not is_mutant
    assert set(made) == {9000 + n for n in range(6)}


async def _ask_nothing(*_: object) -> None:
    """What a control plane without the check does."""


async def _org(plane: InProcess, name: str) -> tuple[httpx.AsyncClient, str]:
    client = await plane.org(name)
    return client, str((await deployed(client, name))["env"])
