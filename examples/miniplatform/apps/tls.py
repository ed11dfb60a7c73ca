"""The web app under TLS: it makes a certificate for ``TLS_NAME`` when it starts and is the only one that has its key.

Its greeting ends with the certificate's fingerprint, so that a client can see that nobody on the way has put
another in its place.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from miniplatform.apps.certificate import Certificate, self_signed
from miniplatform.apps.web import Greeter, place, serve

_HANDSHAKE_S = 5.0


class TlsServer(ThreadingHTTPServer):
    """Speaks TLS with each client in that client's own thread; a probe that only connects and leaves is no error."""

    def __init__(self, address: tuple[str, int], certificate: Certificate) -> None:
        super().__init__(address, SecureGreeter)
        self.certificate = certificate
        self._context = _context(certificate)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands, then serve."""
        request.settimeout(_HANDSHAKE_S)
        try:
            secured = self._context.wrap_socket(request, server_side=True)
        except OSError:
            return
        with secured:
            secured.settimeout(None)
            super().finish_request(secured, client_address)


class SecureGreeter(Greeter):
    """Says under which certificate, too."""

    server: TlsServer

    def greeting(self) -> str:
        """The greeting, who gives it and by which certificate."""
        return f"{super().greeting()} under {self.server.certificate.fingerprint}"


def _context(certificate: Certificate) -> ssl.SSLContext:
    """A server's context; ``ssl`` takes keys from files only, so there is one for a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "server.pem"
        path.write_text(certificate.pem)
        context.load_cert_chain(path)
    return context


def main() -> None:
    """Serve greetings under TLS."""
    serve(TlsServer(place(), self_signed(os.environ["TLS_NAME"])))


if __name__ == "__main__":
    main()
