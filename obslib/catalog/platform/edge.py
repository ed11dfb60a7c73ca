"""Signals of the edge."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import AcrossWorkers, counter, gauge, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.platform.consumers import EDGE_CURSOR
from obslib.catalog.signals import Check, Importance, Level, Loop, log_event, span_kind

EDGE = "edge"
_PLANE = Plane.EDGE
_ON_EDGE = (EDGE,)

# --- configuration --------------------------------------------------------------------------------


@gauge("edge_routes_loaded", serves=("MET-ED-01",), plane=_PLANE, components=_ON_EDGE)
def EDGE_ROUTES_LOADED() -> None:
    """Routes in the applied config."""


@counter("edge_config_reloads_total", serves=("MET-ED-02", "ALR-07"), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONFIG_RELOADS(*, result: c.Outcome) -> None:
    """Attempts to apply a config that differs from the applied one; one that leaves a route out is a failure."""


@histogram("edge_config_reload_duration_seconds", serves=("MET-ED-02",), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONFIG_RELOAD_DURATION(*, result: c.Outcome) -> None:
    """Time to apply a config."""


@gauge(
    "edge_config_applied_event_id", serves=("MET-ED-02",), plane=_PLANE, components=_ON_EDGE, across_workers=AcrossWorkers.MIN
)
def EDGE_CONFIG_APPLIED_EVENT() -> None:
    """Event the applied config answers to."""


@gauge(
    "edge_config_last_success_timestamp_seconds", serves=("MET-ED-02",), plane=_PLANE, components=_ON_EDGE,
    across_workers=AcrossWorkers.MIN,
)  # fmt: skip
def EDGE_CONFIG_LAST_SUCCESS() -> None:
    """Unix time at which a config was last applied."""


@gauge("edge_route_backends", serves=("MET-ED-03",), plane=_PLANE, components=_ON_EDGE)
def EDGE_ROUTE_BACKENDS(*, route_id: t.RouteIdLabel) -> None:
    """Backends of a route, eligible or not."""


@gauge("edge_routes_by_backends", serves=("MET-ED-03",), plane=_PLANE, components=_ON_EDGE)
def EDGE_ROUTES_BY_BACKENDS(*, size_class: Annotated[Literal["0", "1", "2_3", "4_9", "10_plus"], c.SIZE_CLASS]) -> None:
    """Routes by how many backends they have."""


@span_kind("edge.config_apply", serves=("TRC-10",), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONFIG_APPLY(*, applied_event_id: t.AppliedEventId = 0) -> None:
    """A config applied to the listeners; linked to the traces that caused it."""


@log_event("edge.config_applied", serves=("DBG-2-06", "TRC-04"), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONFIG_APPLIED(*, routes_loaded: t.RoutesLoaded, applied_event_id: t.AppliedEventId) -> None:
    """Route config applied."""


@log_event("edge.config_apply_failed", serves=("DBG-2-06", "ALR-07"), level=Level.ERROR, plane=_PLANE, components=_ON_EDGE)
def EDGE_CONFIG_APPLY_FAILED(
    *,
    loop: c.LoopName,
    cycle_id: c.CycleId,
    attempt: c.Attempt,
    backoff_seconds: c.BackoffSeconds,
    cursor_event_id: c.CursorEventId,
) -> None:
    """Route config could not be applied; the old one stays."""


EDGE_ROUTING = Loop(
    name="edge_routing", help="Keeps the listeners at the newest route config.", plane=_PLANE, components=_ON_EDGE,
    serves=("STN-03", "STN-04", "STN-05"), span=EDGE_CONFIG_APPLY, cursor=EDGE_CURSOR, failed=EDGE_CONFIG_APPLY_FAILED,
)  # fmt: skip

# --- connections ----------------------------------------------------------------------------------

ConnectionResult = Literal["proxied", "rejected", "no_route", "upstream_failed"]


@counter("edge_connections_total", serves=("MET-ED-04",), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONNECTIONS(
    *,
    listener_port: t.ListenerPort,
    result: Annotated[ConnectionResult, c.RESULT],
) -> None:
    """Client connections by what became of them."""


@gauge("edge_connections_active", serves=("MET-ED-05",), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONNECTIONS_ACTIVE(*, listener_port: t.ListenerPort) -> None:
    """Client connections open now."""


@gauge("edge_connections_max", serves=("MET-ED-05",), plane=_PLANE, components=_ON_EDGE)
def EDGE_CONNECTIONS_MAX(*, listener_port: t.ListenerPort) -> None:
    """Client connections a listener accepts at once before it rejects."""


@counter("edge_upstream_connects_total", serves=("MET-ED-06",), plane=_PLANE, components=_ON_EDGE)
def EDGE_UPSTREAM_CONNECTS(*, result: c.Outcome) -> None:
    """Connections tried to backends, by result."""


@counter("edge_upstream_connect_failures_total", serves=("MET-ED-06", "ALR-08"), plane=_PLANE, components=_ON_EDGE)
def EDGE_UPSTREAM_FAILURES(*, reason: t.UpstreamReason) -> None:
    """Connections to backends that failed, by reason."""


@histogram("edge_upstream_connect_duration_seconds", serves=("MET-ED-06",), plane=_PLANE, components=_ON_EDGE)
def EDGE_UPSTREAM_CONNECT_DURATION() -> None:
    """Time to connect to a backend."""


@log_event("edge.upstream_failed", serves=("MET-ED-06", "DBG-1-04"), level=Level.WARN, plane=_PLANE, components=_ON_EDGE)
def EDGE_UPSTREAM_FAILED(
    *, route_id: t.RouteId, reason: c.Reason, backend_address: t.BackendAddress = "", instance_id: t.InstanceId = ""
) -> None:
    """A client could not be connected to a backend."""


# --- passing TLS on -------------------------------------------------------------------------------

SniffResult = Literal["ok", "no_sni", "not_tls", "timeout", "malformed", "io_error"]
_SNIFF = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5)  # a sniff is given up after 0.2 s


@counter("edge_sni_sniffs_total", serves=("EXT-01",), plane=_PLANE, components=_ON_EDGE)
def EDGE_SNI_SNIFFS(*, result: Annotated[SniffResult, c.RESULT]) -> None:
    """Clients of TLS listeners by what came of looking for the name they ask for; all but ok are closed."""


@histogram("edge_sni_sniff_duration_seconds", serves=("EXT-01",), plane=_PLANE, components=_ON_EDGE, buckets=_SNIFF)
def EDGE_SNI_SNIFF_DURATION(*, result: Annotated[SniffResult, c.RESULT]) -> None:
    """Time from accepting a client to that answer."""


@gauge("edge_proxy_v2_enabled_routes", serves=("MET-ED-09",), plane=_PLANE, components=_ON_EDGE)
def EDGE_PROXY_V2_ROUTES() -> None:
    """Routes in the applied config whose backends are told the client's address (PROXY protocol v2)."""


@counter("edge_proxy_v2_headers_total", serves=("MET-ED-09",), plane=_PLANE, components=_ON_EDGE)
def EDGE_PROXY_V2_HEADERS(*, result: c.Outcome) -> None:
    """PROXY v2 headers written to backends, by result."""


# --- backends -------------------------------------------------------------------------------------

GateReasonName = Literal["not_ready", "draining", "connect_failed", "probe_failed"]
GateReason = Annotated[GateReasonName, c.REASON]
Reachability = Literal["reachable", "unreachable", "unknown"]


@gauge("edge_backends", serves=("MET-ED-07", "ALR-08"), plane=_PLANE, components=_ON_EDGE)
def EDGE_BACKENDS(*, state: Annotated[Reachability, c.STATE]) -> None:
    """Backends of all routes by reachability as this edge sees it."""


@gauge("edge_backends_gated", serves=("MET-ED-08",), plane=_PLANE, components=_ON_EDGE)
def EDGE_BACKENDS_GATED(*, reason: GateReason) -> None:
    """Backends kept out of rotation now, by reason."""


@counter("edge_backend_gate_changes_total", serves=("MET-ED-08",), plane=_PLANE, components=_ON_EDGE)
def EDGE_GATE_CHANGES(*, action: Annotated[Literal["removed", "restored"], c.ACTION], reason: GateReason) -> None:
    """Times a backend left or rejoined rotation."""


@gauge("edge_routes_without_backends", serves=("MET-ED-08",), plane=_PLANE, components=_ON_EDGE)
def EDGE_ROUTES_WITHOUT_BACKENDS() -> None:
    """Routes with no eligible backend."""


@log_event("edge.backend_gated", serves=("MET-ED-08", "DBG-1-04"), level=Level.WARN, plane=_PLANE, components=_ON_EDGE)
def EDGE_BACKEND_GATED(
    *, route_id: t.RouteId, instance_id: t.InstanceId, reason: c.Reason, backend_address: t.BackendAddress
) -> None:
    """A backend left rotation."""


@log_event("edge.backend_restored", serves=("MET-ED-08", "DBG-1-04"), plane=_PLANE, components=_ON_EDGE)
def EDGE_BACKEND_RESTORED(
    *, route_id: t.RouteId, instance_id: t.InstanceId, reason: c.Reason, backend_address: t.BackendAddress
) -> None:
    """A backend rejoined rotation."""


# --- readiness ------------------------------------------------------------------------------------

ROUTE_CONFIG_LOADED = Check(
    name="route_config_loaded", help="A config has been applied, from the stream or from disk.", plane=_PLANE,
    components=_ON_EDGE, serves=("HLT-ED-01",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
OVERLAY_REACHABLE = Check(
    name="overlay_reachable", help="The overlay that carries traffic to backends is up.", plane=_PLANE,
    components=_ON_EDGE, serves=("HLT-ED-02",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
UPSTREAM_REACHABLE = Check(
    name="upstream_reachable", help="At least one backend can be reached, or no route has backends.", plane=_PLANE,
    components=_ON_EDGE, serves=("HLT-ED-03",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
SAFE_RELOAD = Check(
    name="safe_reload", help="The last reload was atomic and the state file is writable.", plane=_PLANE,
    components=_ON_EDGE, serves=("HLT-ED-04",), importance=Importance.REQUIRED, deadline_s=1.0,
)  # fmt: skip
CONFIG_STREAM = Check(
    name="config_stream", help="The control plane was heard lately; without it the last config stays in force.",
    plane=_PLANE, components=_ON_EDGE, serves=("HLT-02", "DBG-2-06"), importance=Importance.OPTIONAL, deadline_s=1.0,
)  # fmt: skip
