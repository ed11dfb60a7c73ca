"""The edge's shim turns what its host does into the catalog's signals, and what the host knows into readiness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

import pytest

from obslib.catalog.platform import consumers
from obslib.catalog.platform import edge as s
from obslib.health import Verdict
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_edge import BackendView, EdgeTelemetry, ListenerView, Overlay, instrument

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
ROUTE, INSTANCE = f"rt_{ULID}", f"inst_{ULID}"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
UP, DOWN, NEW = (BackendView(reachability=r) for r in ("reachable", "unreachable", "unknown"))
BOOTING = BackendView(reachability="unknown", gate="not_ready")


@dataclass
class Host:
    """What an edge would answer when its shim asks."""

    routes: dict[str, list[BackendView]] = field(default_factory=dict)
    listeners: dict[int, ListenerView] = field(default_factory=dict)
    is_intact: bool = True
    unbound: dict[int, str] = field(default_factory=dict)
    disk: OSError | None = None
    proxy_v2_routes: int = 0

    def probe(self) -> None:
        """Fail as the disk does."""
        if self.disk:
            raise self.disk


class Tunnel:
    """An overlay that is down."""

    def verdict(self) -> Verdict:
        """It is down."""
        return Verdict.failing("no_handshake")


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands still."""
    return FixedClock()


@pytest.fixture
def host() -> Host:
    """The edge behind the shim."""
    return Host()


@pytest.fixture
def obs(clock: FixedClock) -> Iterator[RecordedObservability]:
    """An edge's observability, recorded."""
    with observability("edge", clock=clock) as recorded:
        recorded.health.stop()  # checks run when a test asks
        yield recorded


@pytest.fixture
def edge(obs: RecordedObservability, host: Host) -> EdgeTelemetry:
    """The shim, wired to the host."""
    return wired(obs, host)


def wired(obs: RecordedObservability, host: Host, overlay: Overlay | None = None) -> EdgeTelemetry:
    """The shim with an overlay of choice."""
    return instrument(
        obs, routes=lambda: host.routes, listeners=lambda: host.listeners, is_intact=lambda: host.is_intact,
        probe_state_file=host.probe, overlay=overlay, unbound=lambda: host.unbound, silent_after_s=5.0,
        proxy_v2_routes=lambda: host.proxy_v2_routes,
    )  # fmt: skip


def check(obs: RecordedObservability, name: str) -> tuple[str, str]:
    """Status and reason of a readiness check, run now."""
    verdict = obs.health.run_now().checks[name].verdict
    return verdict.status.value, verdict.reason


async def poll(edge: EdgeTelemetry, *, fails: bool = False) -> None:
    """One iteration of the loop that applies a config of two routes, or cannot."""
    loop = edge.config.polls(0.5)
    async for it in loop:
        with it, edge.config.applying(it, 41, [TRACEPARENT]) as applied:
            if fails:
                raise OSError("Address already in use")
            applied(routes_loaded=2)
        loop.stop()


# --- config ---------------------------------------------------------------------------------------


async def test_an_applied_config_shows_everywhere(obs: RecordedObservability, edge: EdgeTelemetry, clock: FixedClock) -> None:
    """Counter, time, event id, one span and one line, linked to the traces of what changed."""
    await poll(edge)
    assert obs.sample("edge_config_reloads_total", result="success") == 1
    assert obs.sample("edge_config_reload_duration_seconds_count", result="success") == 1
    assert obs.sample(s.EDGE_CONFIG_APPLIED_EVENT) == 41
    assert obs.sample(s.EDGE_CONFIG_LAST_SUCCESS) == clock.now()
    [line] = obs.events("edge.config_applied")
    assert (line["routes_loaded"], line["applied_event_id"], line["linked_trace_ids"]) == (2, 41, [TRACE])
    [span] = obs.spans()
    assert (span.name, span.attributes["applied_event_id"]) == ("edge.config_apply", 41)  # type: ignore[index]
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [TRACE]
    assert line["trace_id"] == f"{span.context.trace_id:032x}"


async def test_a_config_that_cannot_be_applied_is_a_failed_reload(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """It is counted, explained, and leaves the event id of the config in force."""
    edge.config.restored(40)
    await poll(edge, fails=True)
    assert obs.sample("edge_config_reloads_total", result="failure") == 1
    assert obs.sample(s.EDGE_CONFIG_APPLIED_EVENT) == 40
    [line] = obs.events("edge.config_apply_failed")
    assert (line["error_message"], line["loop"], line["cursor_event_id"]) == ("Address already in use", "edge_routing", 40)
    assert line["linked_trace_ids"] == [TRACE]


async def test_a_config_in_force_but_for_a_route_is_a_failed_reload(
    obs: RecordedObservability, edge: EdgeTelemetry, clock: FixedClock
) -> None:
    """Its event id is the applied one; the failure is counted now, and again every five minutes until all is served."""
    loop = edge.config.polls(0.5)
    async for it in loop:
        with it, edge.config.applying(it, 41, []) as applied:
            applied(routes_loaded=2, routes_refused=1)
        loop.stop()
    assert [obs.sample("edge_config_reloads_total", result=r) for r in ("success", "failure")] == [0, 1]
    assert (obs.sample(s.EDGE_CONFIG_APPLIED_EVENT), len(obs.events("edge.config_applied"))) == (41, 1)
    clock.advance(299)
    edge.config.stays_incomplete()
    assert obs.sample("edge_config_reloads_total", result="failure") == 1
    clock.advance(1)
    edge.config.stays_incomplete()
    edge.config.stays_incomplete()
    assert obs.sample("edge_config_reloads_total", result="failure") == 2


async def test_a_poll_that_finds_nothing_new_is_no_reload(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """The loop turns, the applied config answers to a newer event, and no reload is counted."""
    loop = edge.config.polls(0.5)
    async for it in loop:
        with it:
            with edge.config.asking() as headers:
                assert headers["traceparent"].startswith("00-")
            edge.config.answers_to(57)
        loop.stop()
    assert obs.sample("loop_iterations_total", loop="edge_routing", result="success") == 1
    assert [obs.sample("edge_config_reloads_total", result=r) for r in ("success", "failure")] == [0, 0]
    assert obs.sample(s.EDGE_CONFIG_APPLIED_EVENT) == 57
    assert [span.name for span in obs.spans()] == [consumers.EXTERNAL_CALL.name, "edge.config_apply"]


def test_a_restored_config_is_no_reload_and_moves_the_cursor(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """After a restart from disk the edge stands where it stood."""
    edge.config.restored(41)
    assert obs.sample("edge_config_reloads_total", result="success") == 0
    assert obs.sample(consumers.CONSUMER_CURSOR, consumer="edge") == 41
    assert check(obs, "route_config_loaded") == ("ok", "")


# --- backends -------------------------------------------------------------------------------------


def test_backend_gauges_say_what_the_table_says(obs: RecordedObservability, edge: EdgeTelemetry, host: Host) -> None:
    """Every gauge is counted from the same picture, and a route that goes takes its series along."""
    other = ROUTE[:-1] + "W"
    host.routes = {ROUTE: [UP, UP, BackendView(reachability="unreachable", gate="probe_failed")], other: [BOOTING]}
    assert obs.sample(s.EDGE_ROUTES_LOADED) == 2
    assert obs.sample(s.EDGE_ROUTE_BACKENDS, route_id=ROUTE) == 3
    assert [obs.sample(s.EDGE_ROUTES_BY_BACKENDS, size_class=c) for c in ("0", "1", "2_3", "4_9", "10_plus")] == [0, 1, 1, 0, 0]
    assert [obs.sample(s.EDGE_BACKENDS, state=c) for c in ("reachable", "unreachable", "unknown")] == [2, 1, 1]
    assert [obs.sample(s.EDGE_BACKENDS_GATED, reason=c) for c in ("not_ready", "draining", "probe_failed")] == [1, 0, 1]
    assert obs.sample(s.EDGE_ROUTES_WITHOUT_BACKENDS) == 1
    host.routes = {other: []}
    assert obs.sample(s.EDGE_ROUTE_BACKENDS, route_id=ROUTE) is None
    assert obs.sample(s.EDGE_ROUTES_WITHOUT_BACKENDS) == 1


@pytest.mark.parametrize(
    ("count", "size"), [(0, "0"), (1, "1"), (2, "2_3"), (3, "2_3"), (4, "4_9"), (9, "4_9"), (10, "10_plus")]
)
def test_size_classes_meet_without_gap(
    obs: RecordedObservability, edge: EdgeTelemetry, host: Host, count: int, size: str
) -> None:
    """Each number of backends is in exactly one class."""
    host.routes = {ROUTE: [UP] * count}
    counted = {c: obs.sample(s.EDGE_ROUTES_BY_BACKENDS, size_class=c) for c in ("0", "1", "2_3", "4_9", "10_plus")}
    assert counted == {c: float(c == size) for c in counted}


def test_every_change_of_rotation_is_counted_and_written(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """With route, instance, address and the reason it was out for."""
    where = {"route_id": ROUTE, "instance_id": INSTANCE, "backend_address": "127.0.0.1:9000"}
    edge.backends.removed("connect_failed", **where)
    edge.backends.restored("connect_failed", **where)
    for action, event in (("removed", "edge.backend_gated"), ("restored", "edge.backend_restored")):
        assert obs.sample("edge_backend_gate_changes_total", action=action, reason="connect_failed") == 1
        [line] = obs.events(event)
        assert {**where, "reason": "connect_failed"}.items() <= line.items()


# --- connections ----------------------------------------------------------------------------------


def test_clients_are_counted_by_port_and_result(obs: RecordedObservability, edge: EdgeTelemetry, host: Host) -> None:
    """Beside how many are connected now and how many could be; a listener that goes takes its series along."""
    host.listeners = {8080: ListenerView(active=3, maximum=10_000)}
    edge.connections.ended(8080, "proxied")
    edge.connections.ended(8080, "rejected")
    assert obs.sample("edge_connections_total", listener_port="8080", result="proxied") == 1
    assert obs.sample("edge_connections_total", listener_port="8080", result="rejected") == 1
    assert obs.sample(s.EDGE_CONNECTIONS_ACTIVE, listener_port="8080") == 3
    assert obs.sample(s.EDGE_CONNECTIONS_MAX, listener_port="8080") == 10_000
    host.listeners = {}
    edge.connections.closed(8080)
    assert obs.sample("edge_connections_total", listener_port="8080", result="proxied") is None
    assert obs.sample(s.EDGE_CONNECTIONS_ACTIVE, listener_port="8080") is None


def test_attempts_and_failures_have_one_base(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """What was tried and failed is both; a route without backends is a failure that nobody tried."""
    edge.connections.connected(0.01)
    edge.connections.connect_failed("refused", route_id=ROUTE, backend_address="127.0.0.1:9000", instance_id=INSTANCE)
    edge.connections.no_backend(route_id=ROUTE)
    assert obs.sample("edge_upstream_connects_total", result="success") == 1
    assert obs.sample("edge_upstream_connects_total", result="failure") == 1
    assert obs.sample("edge_upstream_connect_failures_total", reason="refused") == 1
    assert obs.sample("edge_upstream_connect_failures_total", reason="no_eligible_backend") == 1
    assert obs.sample("edge_upstream_connect_duration_seconds_count") == 1
    assert [line["reason"] for line in obs.events("edge.upstream_failed")] == ["refused", "no_eligible_backend"]


def test_every_sniff_is_counted_and_timed_by_its_result(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """Each of the six starts at nothing and none is lost (EXT-01)."""
    results: tuple[s.SniffResult, ...] = get_args(s.SniffResult)
    assert [obs.sample(s.EDGE_SNI_SNIFFS, result=r) for r in results] == [0] * 6
    for r in results:
        edge.connections.sniffed(r, 0.2)
    assert [obs.sample(s.EDGE_SNI_SNIFFS, result=r) for r in results] == [1] * 6
    assert [obs.sample("edge_sni_sniff_duration_seconds_sum", result=r) for r in results] == [0.2] * 6


def test_proxy_headers_and_the_routes_that_want_them(obs: RecordedObservability, edge: EdgeTelemetry, host: Host) -> None:
    """MET-ED-09: how many routes have it on now, and how writing the headers went."""
    assert obs.sample(s.EDGE_PROXY_V2_ROUTES) == 0
    host.proxy_v2_routes = 2
    edge.connections.proxy_header("success")
    edge.connections.proxy_header("failure")
    assert obs.sample(s.EDGE_PROXY_V2_ROUTES) == 2
    assert [obs.sample(s.EDGE_PROXY_V2_HEADERS, result=r) for r in ("success", "failure")] == [1, 1]


def test_a_backend_that_closes_early_is_a_failure_each_time_and_a_line_once(
    obs: RecordedObservability, edge: EdgeTelemetry
) -> None:
    """The connect has succeeded, so only the failures by reason move; the log does not grow with the clients."""
    where = {"route_id": ROUTE, "backend_address": "127.0.0.1:9000", "instance_id": INSTANCE}
    edge.connections.closed_early(**where, is_news=True)
    edge.connections.closed_early(**where, is_news=False)
    assert obs.sample(s.EDGE_UPSTREAM_FAILURES, reason="closed_early") == 2
    assert obs.sample(s.EDGE_UPSTREAM_CONNECTS, result="failure") == 0
    [line] = obs.events("edge.upstream_failed")
    assert {**where, "reason": "closed_early"}.items() <= line.items()


# --- readiness ------------------------------------------------------------------------------------


def test_every_declared_check_is_answered(obs: RecordedObservability, edge: EdgeTelemetry) -> None:
    """An edge that has just started and heard nothing is not ready, and says of each check why."""
    snapshot = obs.health.run_now()
    assert snapshot.status == "not_ready"
    assert {n: (c.verdict.status.value, c.verdict.reason) for n, c in snapshot.checks.items() if not n.startswith("loop:")} == {
        "route_config_loaded": ("failing", "no_config"),
        "overlay_reachable": ("not_applicable", "no_overlay"),
        "upstream_reachable": ("ok", ""),
        "safe_reload": ("ok", ""),
        "config_stream": ("unknown", "never_heard"),
    }


def test_the_overlay_answers_for_itself(obs: RecordedObservability, host: Host) -> None:
    """A driver that is there is asked."""
    wired(obs, host, Tunnel())
    assert check(obs, "overlay_reachable") == ("failing", "no_handshake")


@pytest.mark.parametrize(
    ("backends", "verdict"),
    [
        ([], ("ok", "")),
        ([UP, DOWN], ("ok", "")),
        ([DOWN, NEW], ("failing", "no_backend_reachable")),
        ([NEW], ("unknown", "not_probed_yet")),
        ([BOOTING, BackendView(reachability="unreachable", gate="draining")], ("ok", "")),
    ],
)
def test_upstream_is_judged_by_what_should_be_reachable(
    obs: RecordedObservability, edge: EdgeTelemetry, host: Host, backends: list[BackendView], verdict: tuple[str, str]
) -> None:
    """One reachable backend is enough; those the control plane does not call ready have no say."""
    host.routes = {ROUTE: backends}
    assert check(obs, "upstream_reachable") == verdict


def test_a_recent_success_is_enough_for_a_minute(
    obs: RecordedObservability, edge: EdgeTelemetry, host: Host, clock: FixedClock
) -> None:
    """HLT-ED-03: one success in 60 s."""
    host.routes = {ROUTE: [DOWN]}
    edge.connections.probed()
    clock.advance(60)
    assert check(obs, "upstream_reachable") == ("ok", "")
    clock.advance(1)
    assert check(obs, "upstream_reachable") == ("failing", "no_backend_reachable")


def test_safe_reload_looks_at_the_listeners_and_the_disk(obs: RecordedObservability, edge: EdgeTelemetry, host: Host) -> None:
    """A torn table and a disk that cannot be written are both no place for the next config."""
    host.disk = OSError(28, "No space left on device")
    assert check(obs, "safe_reload") == ("failing", "state_not_writable")
    host.is_intact = False
    assert check(obs, "safe_reload") == ("failing", "torn_config")


def test_a_port_that_cannot_be_bound_is_named_and_costs_no_readiness(
    obs: RecordedObservability, edge: EdgeTelemetry, host: Host
) -> None:
    """One tenant's port does not take the edge away from the others; safe_reload stays ok and says which port it is."""
    host.unbound = {8080: "Address already in use", 80: "Permission denied"}
    verdict = obs.health.run_now().checks["safe_reload"].verdict
    assert (verdict.status.value, verdict.detail) == (
        "ok",
        "listener ports that cannot be bound, without which it serves: 80 (Permission denied), 8080 (Address already in use)",
    )


def test_a_silent_control_plane_costs_no_readiness(obs: RecordedObservability, edge: EdgeTelemetry, clock: FixedClock) -> None:
    """The check fails and names it, and the edge stays ready: the last config is in force."""
    edge.config.restored(41)
    with edge.config.asking():
        pass
    clock.advance(5)
    assert check(obs, "config_stream") == ("ok", "")
    clock.advance(1)
    snapshot = obs.health.run_now()
    assert (snapshot.checks["config_stream"].verdict.reason, snapshot.status) == ("control_plane_silent", "partial")
