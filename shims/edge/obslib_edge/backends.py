"""The backend set of every route, what of it can be reached, and what is kept out of rotation.

Gauges are read from the host's own table at each scrape, so they cannot drift from what is served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

from obslib import Observability
from obslib.catalog.platform import edge

__all__ = ["BackendGates", "BackendView", "measure_backends"]

Routes = Callable[[], Mapping[str, Sequence["BackendView"]]]
_SIZE_CLASSES = ((0, "0"), (1, "1"), (3, "2_3"), (9, "4_9"))
_LARGEST = "10_plus"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendView:
    """A backend as the edge sees it: ``gate`` says why it is out of rotation, empty while it is in."""

    reachability: edge.Reachability
    gate: edge.GateReasonName | Literal[""] = ""


class BackendGates:
    """Counts and logs every time a backend leaves or rejoins rotation."""

    def __init__(self, obs: Observability) -> None:
        self._log = obs.log
        self._changes = obs.metrics[edge.EDGE_GATE_CHANGES]

    def removed(self, reason: edge.GateReasonName, *, route_id: str, instance_id: str, backend_address: str) -> None:
        """A backend that was in rotation takes no new connections, because of ``reason``."""
        self._changes.labels(action="removed", reason=reason).inc()
        self._log.event(
            edge.EDGE_BACKEND_GATED, route_id=route_id, instance_id=instance_id, reason=reason, backend_address=backend_address
        )

    def restored(self, reason: edge.GateReasonName, *, route_id: str, instance_id: str, backend_address: str) -> None:
        """A backend that was out because of ``reason`` takes connections again."""
        self._changes.labels(action="restored", reason=reason).inc()
        self._log.event(
            edge.EDGE_BACKEND_RESTORED,
            route_id=route_id,
            instance_id=instance_id,
            reason=reason,
            backend_address=backend_address,
        )


def measure_backends(obs: Observability, routes: Routes) -> None:
    """Let the gauges about routes and backends read ``routes`` at each scrape."""

    def states() -> dict[str, float]:
        found = Counter(view.reachability for view in chain.from_iterable(routes().values()))
        return {state: float(found[state]) for state in get_args(edge.Reachability)}

    def gated() -> dict[str, float]:
        found = Counter(view.gate for view in chain.from_iterable(routes().values()))
        return {reason: float(found[reason]) for reason in get_args(edge.GateReasonName)}

    def by_size() -> dict[str, float]:
        found = Counter(_size_class(len(views)) for views in routes().values())
        return {name: float(found[name]) for name in (*(name for _, name in _SIZE_CLASSES), _LARGEST)}

    metrics = obs.metrics
    metrics[edge.EDGE_ROUTES_LOADED].callback(lambda: float(len(routes())))
    metrics[edge.EDGE_ROUTE_BACKENDS].callback(lambda: {route_id: float(len(views)) for route_id, views in routes().items()})
    metrics[edge.EDGE_ROUTES_BY_BACKENDS].callback(by_size)
    metrics[edge.EDGE_BACKENDS].callback(states)
    metrics[edge.EDGE_BACKENDS_GATED].callback(gated)
    metrics[edge.EDGE_ROUTES_WITHOUT_BACKENDS].callback(
        lambda: float(sum(all(view.gate for view in views) for views in routes().values()))
    )


def _size_class(count: int) -> str:
    return next((name for at_most, name in _SIZE_CLASSES if count <= at_most), _LARGEST)
