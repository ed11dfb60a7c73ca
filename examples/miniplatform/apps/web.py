"""A small web app: greets on ``/``, answers ``/healthz``, writes one line per request to its console."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Greeter(BaseHTTPRequestHandler):
    """Says who answered, so that a caller behind the edge sees which instance it reached."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Greet, or say that all is well."""
        if self.path == "/healthz":
            self._answer(200, "ok\n")
        elif self.path == "/":
            self._answer(200, f"{self.greeting()}\n")
        else:
            self._answer(404, "there is nothing here\n")

    def greeting(self) -> str:
        """The greeting and who gives it."""
        return f"{os.environ.get('GREETING', 'hello')} from {os.environ['INSTANCE_ID']}"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line per request on standard output."""
        print(f"{self.requestline!r} {getattr(code, 'value', code)}", flush=True)

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Instance-Id", os.environ["INSTANCE_ID"])
        self.end_headers()
        self.wfile.write(body)


def place() -> tuple[str, int]:
    """The address and port the platform chose."""
    return os.environ["ADDRESS"], int(os.environ["PORT"])


def serve(server: ThreadingHTTPServer) -> None:
    """Serve until told to stop."""
    with server:
        print(f"serving on port {server.server_port}", flush=True)
        server.serve_forever()


def main() -> None:
    """Serve greetings."""
    serve(ThreadingHTTPServer(place(), Greeter))


if __name__ == "__main__":
    main()
