"""The edge as it is put together: what its settings say reaches the listeners, and its figures reach the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from miniplatform.config import Timings
from miniplatform.edge.control_plane import CallFailed
from miniplatform.edge.main import STATE_FILE, Edge
from miniplatform.edge.statefile import StateFile
from miniplatform.process import Arguments
from obslib.catalog.platform import edge as s
from obslib.clock import SystemClock
from obslib.errors import ErrorClass
from obslib.testing import observability
from obslib.wire import EdgeReport
from tests.miniplatform.edge_rig import backend, client_hello, config, exchange, free_port, gone, route, speaking, until


class Away:
    """A control plane that cannot be reached."""

    async def config(self, headers: Mapping[str, str]) -> NoReturn:
        """Not now."""
        raise CallFailed("the control plane cannot be reached (gone)", ErrorClass.UNAVAILABLE)

    async def heartbeat(self, report: EdgeReport) -> NoReturn:
        """Not now."""
        raise CallFailed("the control plane cannot be reached (gone)", ErrorClass.UNAVAILABLE)


async def test_limits_are_settings_and_show_in_the_metrics(tmp_path: Path) -> None:
    """A listener for three rejects and counts the fourth client; sniffs, PROXY routes and headers are told. All from disk."""
    port, hello = free_port(), client_hello("web.example")
    arguments = Arguments(component="edge", name="edge-1", state=tmp_path)
    timings = Timings(max_connections=3, sniff_timeout_s=20.0, health_interval_s=20.0)
    arguments.home.mkdir()
    async with speaking("a") as upstream_port:
        saved = config(route(port, backend(upstream_port), protocol="tls_passthrough", proxy="v2"))
        StateFile(arguments.home / STATE_FILE).save(saved)
        with observability("edge", clock=SystemClock()) as obs:
            running = asyncio.create_task(Edge(obs, arguments, timings, Away()).run())  # type: ignore[arg-type]
            await until(lambda: obs.sample(s.EDGE_PROXY_V2_ROUTES) == 1)
            where = str(port)
            assert obs.sample(s.EDGE_CONNECTIONS_MAX, listener_port=where) == 3
            silent = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(3)]
            await until(lambda: obs.sample(s.EDGE_CONNECTIONS_ACTIVE, listener_port=where) == 3)
            assert await exchange(port, hello) == b""
            assert obs.sample(s.EDGE_CONNECTIONS, listener_port=where, result="rejected") == 1
            for writer in silent:
                await gone(writer)
            await until(lambda: obs.sample(s.EDGE_CONNECTIONS_ACTIVE, listener_port=where) == 0)
            assert obs.sample(s.EDGE_SNI_SNIFFS, result="io_error") == 3
            assert (await exchange(port, hello)).endswith(hello)
            assert obs.sample(s.EDGE_PROXY_V2_HEADERS, result="success") == 1
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
