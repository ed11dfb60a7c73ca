"""Wires obslib into an edge: routes, atomic config apply, backends and gating, connections and their names, readiness.

``instrument`` binds every signal once and returns verbs. The host says what happened and offers a few
callables that say how things stand; it never hands over its own objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from obslib import Observability
from obslib_edge.backends import BackendGates, BackendView, measure_backends
from obslib_edge.config import ConfigApply
from obslib_edge.connections import Connections, ListenerView
from obslib_edge.readiness import Overlay, check_readiness

__all__ = ["BackendView", "EdgeTelemetry", "ListenerView", "Overlay", "instrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeTelemetry:
    """What an edge calls while it works."""

    config: ConfigApply
    connections: Connections
    backends: BackendGates


def instrument(
    obs: Observability,
    *,
    routes: Callable[[], Mapping[str, Sequence[BackendView]]],
    listeners: Callable[[], Mapping[int, ListenerView]],
    is_intact: Callable[[], bool],
    probe_state_file: Callable[[], object],
    overlay: Overlay | None,
    proxy_v2_routes: Callable[[], int],
    unbound: Callable[[], Mapping[int, str]] = dict,
    silent_after_s: float = 60.0,
) -> EdgeTelemetry:
    """Bind the edge's signals and register its readiness.

    ``routes`` gives the backends of every route of the applied config by route id, ``listeners`` the listening ports and
    ``proxy_v2_routes`` the number of routes with the PROXY protocol on; they are read at each scrape, from another thread.
    ``is_intact`` says whether what is served is exactly one config, ``probe_state_file`` raises OSError when the config
    could not be saved, and ``overlay`` answers for the network to the backends (None: there is none to answer for).
    ``unbound`` gives the listener ports that could not be bound, with the reason. The control plane counts as silent after
    ``silent_after_s``.
    """
    measure_backends(obs, routes)
    config = ConfigApply(obs)
    connections = Connections(obs, listeners, proxy_v2_routes)
    check_readiness(
        obs, config, connections, routes=routes, is_intact=is_intact, probe_state_file=probe_state_file, overlay=overlay,
        unbound=unbound, silent_after_s=silent_after_s,
    )  # fmt: skip
    return EdgeTelemetry(config=config, connections=connections, backends=BackendGates(obs))
