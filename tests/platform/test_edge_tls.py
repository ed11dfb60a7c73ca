"""Through a running edge: TLS that ends in the app, clients that are closed and counted, and backends that know the client."""

from __future__ import annotations

import hashlib
import http.client
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from miniplatform.launcher import wait_for
from tests.platform.conftest import APPS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

NAMES = {"tls-north": "north.example", "tls-south": "south.example"}


@pytest.fixture(scope="module")
def tls_port(shared: Any) -> int:
    """One port on which two orgs each have a TLS app under a name of their own, both serving."""
    port = _free_port()
    for org, name in NAMES.items():
        tenant = shared.tenant(org, app="tls")
        manifest = _manifest(shared, "tls", org, ("tls.example", name), ("8443", str(port)))
        done = tenant.run("deploy", str(manifest))
        assert done.returncode == 0, done.stderr
    for name in NAMES.values():
        wait_for(f"an answer of {name} through the edge", partial(_greeting, port, name), deadline_s=40)
    return port


def test_tls_ends_in_the_app_of_the_name_that_is_asked_for(shared: Any, tls_port: int) -> None:
    """Each org's own instance answers under its name, and the certificate seen is the one that the app says it has."""
    for org, name in NAMES.items():
        text, presented = wait_for("an answer", partial(_greeting, tls_port, name), deadline_s=40)
        instance, fingerprint = re.fullmatch(r"hello from (\S+) under ([0-9a-f]{64})\n", text).groups()  # type: ignore[union-attr]
        described = shared.tenant(org, app="tls").json("describe", "env", "prod")
        assert [running["instance_id"] for running in described["running"]] == [instance]
        assert fingerprint == hashlib.sha256(presented).hexdigest()


@pytest.mark.parametrize(
    ("client", "sniffed", "becomes"),
    [
        (lambda port: _greeting(port, None), "no_sni", "rejected"),
        (lambda port: _greeting(port, "unknown.example"), "ok", "no_route"),
        (lambda port: _says(port, b"GET / HTTP/1.1\r\nHost: north.example\r\n\r\n"), "not_tls", "rejected"),
        (lambda port: _says(port, b"\x16\x03\x01\x02\x00\x01"), "timeout", "rejected"),
        (lambda port: _says(port, b"\x16\x03\x01\x00\x00"), "malformed", "rejected"),
    ],
    ids=["no SNI", "unknown name", "plain text", "slow handshake", "malformed"],
)
def test_who_cannot_be_placed_is_closed_and_counted(
    shared: Any, tls_port: int, client: Callable[[int], object], sniffed: str, becomes: str
) -> None:
    """Nothing comes back, the sniff and the connection are counted by what became of them."""
    sniffs = partial(_sample, shared, "edge_sni_sniffs_total", result=sniffed)
    ended = partial(_sample, shared, "edge_connections_total", listener_port=str(tls_port), result=becomes)
    before = sniffs(), ended()

    def is_counted() -> bool:
        assert not client(tls_port)
        return sniffs() > before[0] and ended() > before[1]

    wait_for("both to be counted", is_counted, deadline_s=40)  # a busy machine may make any client a slow one


def test_a_backend_with_the_proxy_protocol_sees_the_client(shared: Any, free_port: int) -> None:
    """The app greets the address and port that the client's own end of the connection has."""
    tenant = shared.tenant("proxied", app="proxied")
    done = tenant.run("deploy", str(_manifest(shared, "proxied", "proxied", ("8081", str(free_port)))))
    assert done.returncode == 0, done.stderr
    wait_for("an answer through the edge", partial(_plain, free_port), deadline_s=40)
    text, (host, port) = _plain(free_port)  # type: ignore[misc]
    assert re.fullmatch(rf"hello from inst_\w+ to {re.escape(host)} port {port}\n", text), text
    assert _sample(shared, "edge_proxy_v2_enabled_routes") >= 1
    assert _sample(shared, "edge_proxy_v2_headers_total", result="success") >= 1
    assert _sample(shared, "edge_proxy_v2_headers_total", result="failure") == 0


def test_a_backend_that_does_not_speak_it_is_hinted_at(shared: Any, free_port: int) -> None:
    """It closes right after the header; describe route says so and what to do."""
    tenant = shared.tenant("unproxied")
    old = 'protocol = "tcp_raw"'
    manifest = _manifest(shared, "web", "unproxied", ("8080", str(free_port)), (old, f'{old}\nproxy_protocol = "v2"'))
    done = tenant.run("deploy", str(manifest))
    assert done.returncode == 0, done.stderr
    route = f"web.example:{free_port}"

    def is_hinted() -> bool:
        assert _plain(free_port) is None
        done = tenant.run("describe", "route", route, "--json")
        return "set proxy_protocol to off" in done.stdout

    wait_for("the hint", is_hinted, deadline_s=40, every_s=0.5)
    assert _sample(shared, "edge_upstream_connect_failures_total", reason="closed_early") >= 1


def _manifest(shared: Any, app: str, org: str, *changes: tuple[str, str]) -> Any:
    text = (APPS / f"{app}.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = shared.platform.state / f"{org}-{app}.toml"
    path.write_text(text)
    return path


def _greeting(port: int, name: str | None) -> tuple[str, bytes] | None:
    """What the app says under TLS to a client that asks for ``name``, and the certificate it shows; None when closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # which certificate it is, is what the test looks at
    try:
        client = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10), server_hostname=name)
    except OSError:
        return None
    with client:
        presented = client.getpeercert(binary_form=True)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, text = _all(client).partition(b"\r\n\r\n")
        assert presented is not None
        return (text.decode(), presented) if b" 200 " in head else None


def _says(port: int, said: bytes) -> bytes:
    """What comes back to a client that says so much and waits."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(said)
        return _all(client)


def _all(client: socket.socket) -> bytes:
    got = b""
    with suppress(ConnectionResetError):
        while piece := client.recv(4_096):
            got += piece
    return got


def _plain(port: int) -> tuple[str, tuple[str, int]] | None:
    """What the app says, and the client's own address; None when there is no answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.connect()
        mine = client.sock.getsockname()
        client.request("GET", "/")
        return client.getresponse().read().decode(), mine
    except (OSError, http.client.HTTPException):
        return None
    finally:
        client.close()


def _sample(shared: Any, name: str, **labels: str) -> float:
    """One sample of the edge's own exposition, 0 when it is not there."""
    text = httpx.get(f"{shared.platform.admin('edge-1')}/metrics", timeout=5).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), 0.0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
