"""Keeping the table at the newest config: from disk at first, then from the control plane, poll by poll.

While the control plane is away the config in force stays; nothing here forgets anything but for a newer word.
Asking fails the loop, which then asks less often. Applying and saving do not: what fails there is tried again with
a pause of its own, and the control plane is asked, and heard, as often as before.
"""

from __future__ import annotations

import asyncio
import time
from typing import Literal

from miniplatform.edge.backends import Backend
from miniplatform.edge.changes import changed_traces
from miniplatform.edge.control_plane import ControlPlane
from miniplatform.edge.patience import Patience
from miniplatform.edge.statefile import Damaged, StateFile
from miniplatform.edge.table import ConfigRefused, Refusal, RoutingTable
from miniplatform.wire import EdgeConfig
from obslib import Observability
from obslib.loops import Iteration
from obslib.wire import BackendReport, EdgeReport, RouteReport
from obslib.wire.moment import rfc3339
from obslib_edge import EdgeTelemetry

__all__ = ["Follower"]


class Follower:
    """Applies configs and remembers how that went, for the heartbeat."""

    def __init__(
        self,
        obs: Observability,
        telemetry: EdgeTelemetry,
        table: RoutingTable,
        state_file: StateFile,
        control_plane: ControlPlane,
    ) -> None:
        self._log = obs.log
        self._telemetry = telemetry
        self._table = table
        self._state_file = state_file
        self._control_plane = control_plane
        self._patience = Patience(obs.clock)
        self._answered_event_id = 0
        self._last_result: Literal["none", "success", "failure"] = "none"
        self._last_error = ""
        self._applied_at: float | None = None
        self._is_saved = True

    def restore(self) -> None:
        """Serve the saved config, if there is a good one; says so when there is a bad one."""
        try:
            config = self._state_file.load()
            if config is None:
                return
            self._serve(config)
        except (Damaged, ConfigRefused) as error:
            self._log.error("the edge starts without a config", error=error)
            return
        self._telemetry.config.restored(config.cursor_event_id)
        self._log.info("serving the saved config", routes_loaded=len(config.routes), applied_event_id=config.cursor_event_id)

    async def run(self, period_s: float) -> None:
        """Poll until cancelled."""
        async for it in self._telemetry.config.polls(period_s):
            with it:
                await self.poll(it)

    async def poll(self, it: Iteration) -> None:
        """Ask once and apply what is new; raises CallFailed. What cannot be applied or saved is put aside and tried again."""
        self._retry()
        with self._telemetry.config.asking() as headers:
            config = await self._control_plane.config(headers)
        it.cursor.head(config.head_event_id)
        if not self._patience.allows(config.config_id):
            return
        try:
            await self._take(it, config)
        except (ConfigRefused, OSError) as error:
            self._patience.failed(config.config_id)
            it.retry_later(error)
        else:
            self._patience.succeeded()
            it.cursor.advance(config.cursor_event_id)

    def report(self) -> EdgeReport:
        """What the heartbeat says."""
        config, refused = self._table.config, self._table.refused
        return EdgeReport(
            cursor_event_id=self._answered_event_id,
            config_id=config.config_id if config else "",
            applied_event_id=self._answered_event_id if config else 0,
            last_result=self._last_result,
            last_error=self._last_error,
            applied_at=_moment(self._applied_at),
            routes={
                route_id: RouteReport(
                    listener_port=pool.route.listener_port,
                    problem=refused[route_id].problem if route_id in refused else "",
                    backends=[_backend_report(b) for b in pool.backends],
                )
                for route_id, pool in self._table.pools.items()
            },
        )

    async def _take(self, it: Iteration, config: EdgeConfig) -> None:
        old = self._table.config
        if old is None or old.config_id != config.config_id:
            self._apply(it, old, config)
            self._is_saved = False
        self._answered_event_id = config.cursor_event_id
        self._telemetry.config.answers_to(config.cursor_event_id)
        if not self._is_saved:
            await asyncio.to_thread(self._state_file.save, config)
            self._is_saved = True

    def _apply(self, it: Iteration, old: EdgeConfig | None, config: EdgeConfig) -> None:
        try:
            with self._telemetry.config.applying(it, config.cursor_event_id, changed_traces(old, config)) as applied:
                self._serve(config)
                applied(routes_loaded=len(config.routes), routes_refused=len(self._table.refused))
        except ConfigRefused as error:
            self._last_result, self._last_error = "failure", str(error)
            raise

    def _serve(self, config: EdgeConfig) -> None:
        before = self._table.refused
        self._table.apply(config)
        for route_id, refusal in self._table.refused.items():
            if route_id not in before:
                self._say_refused(refusal)
        self._answered_event_id = config.cursor_event_id
        self._last_result, self._last_error, self._applied_at = "success", "", time.time()

    def _retry(self) -> None:
        for route in self._table.retry():
            self._log.info("the edge serves the route's port now", route_id=route.route_id, listener_port=route.listener_port)
        if self._table.unbound():
            self._telemetry.config.stays_incomplete()

    def _say_refused(self, refusal: Refusal) -> None:
        self._log.warning(
            "the edge cannot bind the route's port; all other routes are served, and it goes on trying",
            route_id=refusal.route.route_id,
            listener_port=refusal.route.listener_port,
            reason=refusal.problem,
            detail=refusal.why,
        )


def _backend_report(backend: Backend) -> BackendReport:
    return BackendReport(
        instance_id=backend.wire.instance_id,
        address=backend.address,
        state=backend.reachability,
        gated=backend.gate,
        last_failure_reason=backend.last_failure_reason,
        checked_at=_moment(backend.checked_at),
    )


def _moment(unix: float | None) -> str | None:
    return None if unix is None else rfc3339(unix)
