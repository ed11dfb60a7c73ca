"""A route on a port that another process holds: the edge cannot apply that part of its config, and serves the rest."""

from __future__ import annotations

import socket

from miniplatform.demo.fault import Fault
from miniplatform.demo.stage import Stage

__all__ = ["BadConfig"]


class BadConfig(Fault):
    """A clash between a tenant's wish and a machine: only the edge can know, and says so with its heartbeat."""

    reasons = ("port_unavailable",)

    def __init__(self) -> None:
        self._holder = socket.socket()

    def break_it(self, stage: Stage) -> None:
        """Hold a port, and give the app a second route on it."""
        self._holder.bind(("127.0.0.1", 0))
        self._holder.listen()
        port = self._holder.getsockname()[1]
        stage.say(f"port {port} is held by another process, this one")
        stage.show("deploy", str(stage.manifest("web", listener_port=port)), "--no-wait")

    def repair(self, stage: Stage) -> None:
        """Free the port; the edge goes on trying and takes it."""
        with stage.step("freeing the port"):
            self._holder.close()
