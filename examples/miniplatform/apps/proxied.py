"""The web app behind PROXY protocol v2: it tells each client the address the platform says the client has.

A connection that does not begin with the header is closed: taken as it is, it could claim any address.
"""

from __future__ import annotations

import socket
import struct
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

from miniplatform.apps.web import Greeter, place, serve

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_PROXIED = 0x21
_WIDTHS = {0x11: 4, 0x21: 16}  # bytes of an address: TCP over IPv4, over IPv6
_PATIENCE_S = 5.0


class ProxiedServer(ThreadingHTTPServer):
    """Takes the client's address from the header."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Read the header, then serve whom it names."""
        request.settimeout(_PATIENCE_S)
        try:
            client_address = read_header(request)
        except (OSError, ValueError):
            return
        request.settimeout(None)
        super().finish_request(request, client_address)


class AddressGreeter(Greeter):
    """Says whom it greets, too."""

    def greeting(self) -> str:
        """The greeting, who gives it and to which address."""
        host, port = self.client_address[:2]
        return f"{super().greeting()} to {host} port {port}"


def read_header(connection: socket.socket) -> tuple[str, int]:
    """The client's address from the PROXY v2 header of a TCP connection; raises ValueError when there is none."""
    head = _exactly(connection, 16)
    kind, family, length = struct.unpack("!BBH", head[12:])
    if head[:12] != _SIGNATURE or kind != _PROXIED or family not in _WIDTHS:
        raise ValueError("this is no PROXY v2 header of a TCP connection")
    content = _exactly(connection, length)
    width = _WIDTHS[family]
    return str(ip_address(content[:width])), int.from_bytes(content[2 * width : 2 * width + 2])


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            raise ValueError("it ended early")
        got += piece
    return got


def main() -> None:
    """Serve greetings behind the PROXY protocol."""
    serve(ProxiedServer(place(), AddressGreeter))


if __name__ == "__main__":
    main()
