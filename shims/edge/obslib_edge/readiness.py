"""When an edge can do useful work: it has a config, a way to its backends, and could take the next config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from obslib import Observability
from obslib.catalog.platform import edge
from obslib.health import Verdict
from obslib_edge.backends import BackendView
from obslib_edge.config import ConfigApply
from obslib_edge.connections import Connections

__all__ = ["Overlay", "check_readiness"]

RECENT_S = 60.0
"""A connection to a backend that worked this lately is proof enough (HLT-ED-03)."""

_FROM_MEMORY_S = 1.0
_CALLED_UNREADY = ("not_ready", "draining")


class Overlay(Protocol):
    """The network that carries traffic to the backends."""

    def verdict(self) -> Verdict:
        """Whether it is up."""
        ...


def check_readiness(
    obs: Observability,
    config: ConfigApply,
    connections: Connections,
    *,
    routes: Callable[[], Mapping[str, Sequence[BackendView]]],
    is_intact: Callable[[], bool],
    probe_state_file: Callable[[], object],
    overlay: Overlay | None,
    unbound: Callable[[], Mapping[int, str]],
    silent_after_s: float,
) -> None:
    """Register the edge's five checks (HLT-ED-01 to -04, DBG-2-06)."""

    @obs.check(edge.ROUTE_CONFIG_LOADED, every=_FROM_MEMORY_S)
    def route_config_loaded() -> Verdict:
        if config.is_loaded:
            return Verdict.ok()
        return Verdict.failing("no_config", "nothing was saved, and the control plane has not sent a config yet")

    @obs.check(edge.OVERLAY_REACHABLE)
    def overlay_reachable() -> Verdict:
        return overlay.verdict() if overlay else Verdict.not_applicable("no_overlay", "backends are reached without one")

    @obs.check(edge.UPSTREAM_REACHABLE, every=_FROM_MEMORY_S)
    def upstream_reachable() -> Verdict:
        views = [view for view in chain.from_iterable(routes().values()) if view.gate not in _CALLED_UNREADY]
        if not views:
            return Verdict.ok("no route has a backend that the control plane calls ready")
        last = connections.last_success
        if last is not None and obs.clock.monotonic() - last <= RECENT_S:
            return Verdict.ok()
        if any(view.reachability == "reachable" for view in views):
            return Verdict.ok()
        if all(view.reachability == "unknown" for view in views):
            return Verdict.unknown("not_probed_yet", f"none of {len(views)} backends was tried yet")
        return Verdict.failing("no_backend_reachable", f"none of {len(views)} backends can be reached")

    @obs.check(edge.SAFE_RELOAD)
    def safe_reload() -> Verdict:
        if not is_intact():
            return Verdict.failing("torn_config", "what is served is not exactly one config; restart the edge")
        try:
            probe_state_file()
        except OSError as error:
            return Verdict.failing("state_not_writable", f"the applied config cannot be saved: {error.strerror or error}")
        # One tenant's port is no reason to take the edge away from all the others, so this stays ok.
        ports = ", ".join(f"{port} ({why})" for port, why in sorted(unbound().items()))
        return Verdict.ok(f"listener ports that cannot be bound, without which it serves: {ports}" if ports else "")

    @obs.check(edge.CONFIG_STREAM, every=_FROM_MEMORY_S)
    def config_stream() -> Verdict:
        silent_s = config.silent_for_s()
        if silent_s is None:
            return Verdict.unknown("never_heard", "the control plane has not answered yet")
        if silent_s > silent_after_s:
            return Verdict.failing("control_plane_silent", f"last answer {silent_s:.0f} s ago; the last config stays in force")
        return Verdict.ok()
