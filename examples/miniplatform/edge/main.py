"""``miniplatform edge``: puts the edge together and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import resource
from typing import Literal

import obslib
from miniplatform.config import ConfigError, NodeIdentity, Timings
from miniplatform.edge.backends import Backend
from miniplatform.edge.control_plane import CallFailed, ControlPlane
from miniplatform.edge.follow import Follower
from miniplatform.edge.listener import Limits
from miniplatform.edge.statefile import StateFile
from miniplatform.edge.table import RoutingTable
from miniplatform.edge.upstream import Upstream
from miniplatform.process import Arguments, announce
from obslib.catalog.platform.edge import GateReasonName
from obslib_edge import BackendView, ListenerView, instrument

__all__ = ["main"]

STATE_FILE = "edge-config.json"
_PROBE_TICK_S = 0.1
_GRACE_S = 1.0


async def main(arguments: Arguments, timings: Timings) -> None:
    """Serve the routes until cancelled; raises ConfigError when identity or API is not given."""
    if arguments.identity is None or not arguments.api:
        raise ConfigError("the edge needs --api URL and --identity FILE")
    identity = NodeIdentity.load(arguments.identity)
    _allow_many_descriptors()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per poll says nothing
    obs = obslib.start("edge", node_id=identity.node_id, admin_port=arguments.admin_port, errors={})
    async with obs, ControlPlane(arguments.api, identity) as control_plane:
        await Edge(obs, arguments, timings, control_plane).run()


class Edge:
    """The parts of a running edge, introduced to each other."""

    def __init__(self, obs: obslib.Observability, arguments: Arguments, timings: Timings, control_plane: ControlPlane) -> None:
        self._obs = obs
        self._arguments = arguments
        self._timings = timings
        self._control_plane = control_plane
        state_file = StateFile(arguments.home / STATE_FILE)
        self._telemetry = instrument(
            obs,
            routes=self._routes,
            listeners=self._listeners,
            is_intact=lambda: self._table.is_intact(),
            probe_state_file=state_file.probe,
            overlay=None,  # backends are on the loopback
            unbound=lambda: self._table.unbound(),
            proxy_v2_routes=self._proxy_v2_routes,
            silent_after_s=timings.silent_after_s,
        )
        connections = self._telemetry.connections
        self._upstream = Upstream(
            connections,
            connect_timeout_s=timings.connect_timeout_s,
            probe_timeout_s=timings.health_timeout_s,
            probe_every_s=timings.health_interval_s,
        )
        limits = Limits(max_connections=timings.max_connections, sniff_timeout_s=timings.sniff_timeout_s)
        self._table = RoutingTable(self._upstream, connections, self._gate_changed, limits)
        self._follower = Follower(obs, self._telemetry, self._table, state_file, control_plane)

    async def run(self) -> None:
        """Serve what was saved, then follow the control plane; ends by cancellation."""
        self._follower.restore()
        announce(self._arguments, self._obs.admin_address)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follower.run(self._timings.edge_period_s))
                tasks.create_task(self._probe())
                tasks.create_task(self._report())
        finally:
            await self._table.close(grace_s=_GRACE_S)

    async def _probe(self) -> None:
        while True:
            await self._upstream.probe_due(list(self._table.backends()))
            await asyncio.sleep(_PROBE_TICK_S)

    async def _report(self) -> None:
        was_heard = True
        while True:
            try:
                await self._control_plane.heartbeat(self._follower.report())
                was_heard = True
            except CallFailed as error:
                if was_heard:
                    self._obs.log.warning("heartbeats do not arrive", error=error)
                was_heard = False
            await asyncio.sleep(self._timings.heartbeat_s)

    def _gate_changed(self, backend: Backend, change: Literal["removed", "restored"], reason: GateReasonName) -> None:
        say = self._telemetry.backends.removed if change == "removed" else self._telemetry.backends.restored
        say(reason, route_id=backend.route_id, instance_id=backend.wire.instance_id, backend_address=backend.address)

    def _routes(self) -> dict[str, list[BackendView]]:
        return {
            route_id: [BackendView(reachability=b.reachability, gate=b.gate) for b in pool.backends]
            for route_id, pool in self._table.pools.items()
        }

    def _proxy_v2_routes(self) -> int:
        return sum(pool.route.proxy_protocol == "v2" for pool in self._table.pools.values())

    def _listeners(self) -> dict[int, ListenerView]:
        return {
            port: ListenerView(active=listener.active, maximum=listener.limits.max_connections)
            for port, listener in self._table.listeners.items()
        }


def _allow_many_descriptors() -> None:
    """Every connection takes two; the soft limit is often far below the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
