"""The sample apps that stand behind the edge do what their manifests promise."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from miniplatform import apps
from miniplatform.apps.certificate import self_signed
from miniplatform.apps.proxied import AddressGreeter, ProxiedServer
from miniplatform.apps.tls import TlsServer
from miniplatform.control_plane.manifest import Manifest, secrets_in
from miniplatform.edge.proxy_header import proxy_v2
from obslib.cli.platform.manifest import load

REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture(autouse=True)
def _instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTANCE_ID", "inst_one")


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[tuple[str, int]]:
    """A server in a thread; yields its address."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[:2]  # type: ignore[misc]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("path", sorted(Path(apps.__file__).parent.glob("*.toml")), ids=lambda path: path.stem)
def test_every_manifest_is_one_and_holds_no_secret(path: Path) -> None:
    """The command line takes it, the control plane takes it, and nothing in it looks like a secret."""
    assert load(path).name
    assert secrets_in(Manifest.model_validate(tomllib.loads(path.read_text()))) == []


def test_a_certificate_is_good_for_its_name_only() -> None:
    """OpenSSL verifies signature, dates and name, and refuses another name."""
    certificate = self_signed("tls.example")
    with running(TlsServer(("127.0.0.1", 0), certificate)) as address:
        context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(certificate.der))
        with context.wrap_socket(socket.create_connection(address), server_hostname="tls.example") as client:
            client.sendall(REQUEST)
            presented = client.getpeercert(binary_form=True)
            assert presented is not None
            assert hashlib.sha256(presented).hexdigest() == certificate.fingerprint
            assert _all(client).endswith(f"hello from inst_one under {certificate.fingerprint}\n".encode())
        with (
            socket.create_connection(address) as other,
            pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
        ):
            context.wrap_socket(other, server_hostname="other.example")


def test_no_two_certificates_share_a_key() -> None:
    """Each start makes its own."""
    one, other = self_signed("tls.example"), self_signed("tls.example")
    assert one.fingerprint != other.fingerprint
    assert one.pem.splitlines()[1:3] != other.pem.splitlines()[1:3]


def test_the_tls_app_says_nothing_of_probes(capsys: pytest.CaptureFixture[str]) -> None:
    """Who only connects, or speaks something else, is closed without a stack on the console."""
    with running(TlsServer(("127.0.0.1", 0), self_signed("tls.example"))) as address:
        socket.create_connection(address).close()
        with socket.create_connection(address) as plain:
            plain.sendall(REQUEST)
            assert b"200" not in _all(plain)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("client", "listener", "shown"),
    [
        (("192.0.2.1", 54321), ("203.0.113.5", 443), b"192.0.2.1 port 54321"),
        (("2001:db8::1", 54321), ("2001:db8::2", 443), b"2001:db8::1 port 54321"),
    ],
)
def test_the_proxied_app_greets_the_address_in_the_header(
    client: tuple[str, int], listener: tuple[str, int], shown: bytes
) -> None:
    """Whatever the connection itself comes from."""
    with running(ProxiedServer(("127.0.0.1", 0), AddressGreeter)) as address, socket.create_connection(address) as edge:
        edge.sendall(proxy_v2(client, listener) + REQUEST)
        assert _all(edge).endswith(b"hello from inst_one to " + shown + b"\n")


@pytest.mark.parametrize("said", [REQUEST, b"", proxy_v2(("192.0.2.1", 1), ("192.0.2.2", 2))[:20]])
def test_the_proxied_app_takes_nobody_without_a_header(said: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """It is closed without an answer and without a stack."""
    with running(ProxiedServer(("127.0.0.1", 0), AddressGreeter)) as address, socket.create_connection(address) as client:
        client.sendall(said)
        with suppress(OSError):  # it may have been closed already
            client.shutdown(socket.SHUT_WR)
        assert _all(client) == b""
    assert capsys.readouterr() == ("", "")


def _all(connection: socket.socket) -> bytes:
    got = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(4_096):
            got += piece
    return got
