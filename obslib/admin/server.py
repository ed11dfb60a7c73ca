"""The admin endpoint on an address of its own, in a thread of its own.

Apart from the component's event loop on purpose: when that loop is blocked, ``/livez`` and ``/metrics``
still answer, and the watchdog's verdict can be read. The address is bound before anything is served, so
a port that is taken stops the start with one sentence.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import threading
import weakref
from typing import TYPE_CHECKING, Any

from obslib.errors import AddressInUse, SettingsError

if TYPE_CHECKING:
    from uvicorn import Config, Server

__all__ = ["AdminServer"]

_BACKLOG = 2048
_START_TIMEOUT_S = 10.0


class AdminServer:
    """Serves an ASGI application on ``host:port`` from construction to ``close()``.

    ``port`` 0 takes a free one. Raises AddressInUse when the port is taken and SettingsError when the address
    cannot be bound at all.
    """

    def __init__(self, app: Any, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = _bound(host, port)
        self._host: str
        self._port: int
        self._host, self._port = self._socket.getsockname()[:2]
        self._is_up = threading.Event()
        self._server = _server(app, self._is_up)
        self._quiet = _OwnThreadIsQuiet()
        self._thread = threading.Thread(target=self._serve, name="obslib-admin", daemon=True)
        self._thread.start()
        self._await_start()
        release = weakref.WeakMethod(self._release)
        os.register_at_fork(after_in_child=lambda: (method := release()) and method())

    @property
    def address(self) -> str:
        """``host:port`` as bound, brackets around an IPv6 host."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    @property
    def port(self) -> int:
        """The port as bound."""
        return self._port

    def close(self, timeout_s: float = 2.0) -> bool:
        """Stop accepting, let answers under way finish; whether all of it ended within ``timeout_s``."""
        self._server.should_exit = True
        self._thread.join(max(0.0, timeout_s - 0.5))
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(min(0.5, timeout_s))
        self._socket.close()
        return not self._thread.is_alive()

    def _serve(self) -> None:
        try:
            with self._quiet:
                asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._is_up.set()

    def _await_start(self) -> None:
        self._is_up.wait(_START_TIMEOUT_S)
        if not self._server.started:
            self._server.should_exit = True
            self._socket.close()
            raise RuntimeError(f"the admin endpoint on {self.address} did not start within {_START_TIMEOUT_S:g} s")

    def _release(self) -> None:
        """In a forked child: the thread is not here, so the inherited socket must not keep the port."""
        self._socket.close()


class _OwnThreadIsQuiet(logging.Filter):
    """Keeps uvicorn's notices about this server out of the component's log, and its warnings off stderr.

    uvicorn's logger is shared by every uvicorn of the process, so only records of the serving thread are held
    back, and everything is undone when it ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logger = logging.getLogger("uvicorn.error")
        self._silence = logging.NullHandler()
        self._thread = 0

    def __enter__(self) -> None:
        self._thread = threading.get_ident()
        self._logger.addFilter(self)
        self._logger.addHandler(self._silence)

    def __exit__(self, *_: object) -> None:
        self._logger.removeFilter(self)
        self._logger.removeHandler(self._silence)

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread or record.levelno >= logging.WARNING


def _server(app: Any, is_up: threading.Event) -> Server:
    from uvicorn import Config, Server
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class UnloggedProtocol(H11Protocol):
        """HTTP without an access line for each probe and scrape."""

        def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
            super().__init__(config, *args, **kwargs)
            self.access_log = False

    class AnnouncedServer(Server):
        """Says when it accepts connections."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            is_up.set()

    return AnnouncedServer(
        Config(
            app, http=UnloggedProtocol, ws="none", lifespan="off", log_config=None, backlog=_BACKLOG,
            proxy_headers=False, server_header=False, timeout_graceful_shutdown=1,
        )
    )  # fmt: skip


def _bound(host: str, port: int) -> socket.socket:
    # getaddrinfo would quietly take 70000 for 4464.
    if not 0 <= port <= 65_535:
        raise SettingsError(
            f"the admin endpoint cannot use port {port!r}; set OBSLIB_ADMIN_PORT to 0 (a free one) or up to 65535"
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"the admin endpoint cannot use host {host!r} ({error}); set OBSLIB_ADMIN_HOST to an address of this host"
        ) from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Listening here, not in the thread, makes a second process fail now instead of later.
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(
                f"the admin endpoint's address {host}:{port} is in use; stop the other process, "
                "or set OBSLIB_ADMIN_PORT (0 takes a free port)"
            ) from None
        raise SettingsError(
            f"the admin endpoint cannot bind {host!r} port {port!r} ({error.strerror}); "
            "set OBSLIB_ADMIN_HOST to an address of this host"
        ) from None
    return bound
