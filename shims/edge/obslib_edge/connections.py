"""Clients by what became of them, how their names were found, and the connections to backends that were tried for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from obslib import Observability
from obslib.catalog.platform import edge
from obslib.catalog.platform import terms as t

__all__ = ["Connections", "ListenerView"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerView:
    """A listening port: clients connected now, and how many it accepts at once."""

    active: int
    maximum: int


class Connections:
    """Counts clients by listener and connects by result. ``last_success`` is monotonic, None before the first."""

    def __init__(
        self,
        obs: Observability,
        listeners: Callable[[], Mapping[int, ListenerView]],
        proxy_v2_routes: Callable[[], int],
    ) -> None:
        self._obs = obs
        self._clients = obs.metrics[edge.EDGE_CONNECTIONS]
        self._succeeded = obs.metrics[edge.EDGE_UPSTREAM_CONNECTS].labels(result="success")
        self._failed = obs.metrics[edge.EDGE_UPSTREAM_CONNECTS].labels(result="failure")
        self._failures = obs.metrics[edge.EDGE_UPSTREAM_FAILURES]
        self._seconds = obs.metrics[edge.EDGE_UPSTREAM_CONNECT_DURATION].labels()
        self._sniffs = obs.metrics[edge.EDGE_SNI_SNIFFS]
        self._sniff_seconds = obs.metrics[edge.EDGE_SNI_SNIFF_DURATION]
        self._headers = obs.metrics[edge.EDGE_PROXY_V2_HEADERS]
        self.last_success: float | None = None
        obs.metrics[edge.EDGE_CONNECTIONS_ACTIVE].callback(lambda: {str(p): v.active for p, v in listeners().items()})
        obs.metrics[edge.EDGE_CONNECTIONS_MAX].callback(lambda: {str(p): v.maximum for p, v in listeners().items()})
        obs.metrics[edge.EDGE_PROXY_V2_ROUTES].callback(lambda: float(proxy_v2_routes()))

    def ended(self, port: int, result: edge.ConnectionResult) -> None:
        """It is clear what becomes of a client: ``proxied``, ``rejected``, ``no_route`` or ``upstream_failed``."""
        self._clients.labels(listener_port=str(port), result=result).inc()

    def sniffed(self, result: edge.SniffResult, seconds: float) -> None:
        """A client of a TLS listener was listened to for ``seconds``; all but ``ok`` are then closed, as ``rejected``."""
        self._sniffs.labels(result=result).inc()
        self._sniff_seconds.labels(result=result).observe(seconds)

    def closed(self, port: int) -> None:
        """The listener is gone, and its series with it."""
        self._clients.forget("listener_port", str(port))

    def probed(self) -> None:
        """A backend took a probe's connection."""
        self.last_success = self._obs.clock.monotonic()

    def connected(self, seconds: float) -> None:
        """A backend took a client's connection after ``seconds``."""
        self.last_success = self._obs.clock.monotonic()
        self._succeeded.inc()
        self._seconds.observe(seconds)

    def connect_failed(self, reason: t.UpstreamReasonName, *, route_id: str, backend_address: str, instance_id: str) -> None:
        """A backend did not take a client's connection."""
        self._failed.inc()
        self._failures.labels(reason=reason).inc()
        self._tell(reason, route_id=route_id, backend_address=backend_address, instance_id=instance_id)

    def proxy_header(self, result: Literal["success", "failure"]) -> None:
        """A PROXY v2 header was written to a backend, or could not be; the latter is a failed connect besides."""
        self._headers.labels(result=result).inc()

    def closed_early(self, *, route_id: str, backend_address: str, instance_id: str, is_news: bool) -> None:
        """A backend closed right after the PROXY header; that is a failure, but the connect had succeeded.

        Every client meets it, so it is written to the log only when ``is_news``.
        """
        self._failures.labels(reason="closed_early").inc()
        if is_news:
            self._tell("closed_early", route_id=route_id, backend_address=backend_address, instance_id=instance_id)

    def no_backend(self, *, route_id: str) -> None:
        """A route had no backend to try; that is a failure, but not an attempt."""
        self._failures.labels(reason="no_eligible_backend").inc()
        self._tell("no_eligible_backend", route_id=route_id)

    def _tell(self, reason: t.UpstreamReasonName, **where: str) -> None:
        self._obs.log.event(edge.EDGE_UPSTREAM_FAILED, reason=reason, **where)
