"""A component behind a real admin endpoint, and a client."""

from __future__ import annotations

import threading

import httpx
import pytest

from obslib.admin import AdminServer, admin_app

TEXT = b"# TYPE up gauge\nup 1\n" * 50


class Ready:
    """A snapshot that says what it is told and counts who asked."""

    def __init__(self):
        self.is_ready = True

    def as_dict(self):
        """The body."""
        return {"status": "ready" if self.is_ready else "not_ready"}


class Host:
    """What the application asks of its component, counted."""

    def __init__(self):
        self.ready = Ready()
        self.renders = []
        self.errors = []
        self.asked = threading.Semaphore(0)
        self.may_render = threading.Event()
        self.may_render.set()

    def exposition(self, accept):
        """Render once allowed."""
        self.asked.release()
        self.may_render.wait(10)
        self.renders.append(accept)
        return TEXT, "application/openmetrics-text" if "openmetrics" in accept else "text/plain; version=0.0.4"

    def app(self):
        """The application over this host."""
        return admin_app(
            exposition=self.exposition,
            snapshot=lambda: self.ready,
            livez=lambda: {"status": "ok"},
            debug={"loops": lambda: {"agent": {"values": {"b"}, "at": (1, 2)}}, "broken": lambda: 1 / 0},
            on_error=lambda path, error: self.errors.append((path, type(error).__name__)),
        )


@pytest.fixture
def host():
    """The component behind the endpoint."""
    return Host()


@pytest.fixture
def server(host):
    """The endpoint, served on a free port."""
    served = AdminServer(host.app())
    yield served
    assert served.close()


@pytest.fixture
def client(server):
    """A client that asks for nothing special."""
    with httpx.Client(base_url=f"http://{server.address}", headers={"accept-encoding": "identity"}) as asked:
        yield asked


@pytest.fixture
def text():
    """What the component exposes."""
    return TEXT
