"""The control plane's shim, over an application, a pool and a log of the test's own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from obslib.errors import ErrorClass, SettingsError
from obslib.testing import FixedClock, MemoryAudit, RecordedObservability, observability
from obslib_control_plane import (
    AddressPool,
    ControlPlane,
    Heard,
    Projecting,
    Projector,
    ProjectorState,
    instrument,
    instrument_projector,
)
from obslib_control_plane.problems import class_of, status_of

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class PoolTimeout(Exception):
    """What this test's pool raises."""


class Host:
    """What a control plane hands to its shim; a test sets the answers."""

    def __init__(self) -> None:
        self.figures = {"in_use": 2, "idle": 1, "maximum": 10, "waiting": 4}
        self.is_database_up = True
        self.can_append = True
        self.state = ProjectorState(age_s=0.5)
        self.scheduler_age: float | None = 0.5
        self.heard: dict[str, Heard] = {}

    async def ping(self) -> None:
        """Answer, or not."""
        if not self.is_database_up:
            raise ConnectionError("refused")

    async def probe_append(self) -> None:
        """Append and roll back, or fail."""
        if not self.can_append:
            raise ConnectionError("read only")

    async def projector(self) -> ProjectorState:
        """What the projector said last."""
        return self.state

    async def scheduler_age_s(self) -> float | None:
        """When the scheduler was last heard."""
        return self.scheduler_age

    async def last_heard(self) -> dict[str, Heard]:
        """Every node."""
        return self.heard


@pytest.fixture
async def obs() -> AsyncIterator[RecordedObservability]:
    """A control plane's telemetry, recorded."""
    with observability("control-plane") as obs:
        yield obs


@pytest.fixture
def host() -> Host:
    """A host that is well."""
    return Host()


@pytest.fixture
def plane(obs: RecordedObservability, host: Host) -> ControlPlane:
    """The instrumented control plane."""
    return instrument(
        obs, audit=MemoryAudit(), figures=lambda: host.figures, timeouts=(PoolTimeout,), ping=host.ping,
        probe_append=host.probe_append,
        projector=host.projector, scheduler_age_s=host.scheduler_age_s, last_heard=host.last_heard, silent_after_s=5.0,
    )  # fmt: skip


def test_without_an_audit_trail_nothing_starts(obs: RecordedObservability, host: Host) -> None:
    """A control plane that could not put accesses on record is refused when it is wired, with what to pass."""
    with pytest.raises(SettingsError, match="there is no audit sink, and without one nothing may be read; pass audit="):
        instrument(
            obs, audit=None, figures=lambda: host.figures, timeouts=(), ping=host.ping, probe_append=host.probe_append,  # type: ignore[arg-type]  # the point of the test
            projector=host.projector, scheduler_age_s=host.scheduler_age_s, last_heard=host.last_heard,
        )  # fmt: skip


class Route:
    """What Starlette leaves in the scope."""

    path = "/v1/things/{thing}"


def client(plane: ControlPlane, app: Any) -> httpx.AsyncClient:
    """A client of an instrumented application."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(plane.requests.around(app), raise_app_exceptions=False), base_url="http://api"
    )


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers 201."""
    scope["route"] = Route()
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"made"})


async def test_a_request_is_one_line_one_span_and_three_figures(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Whole records: the access line, the span with the caller's trace, count and duration by template."""
    async with client(plane, answer) as http:
        reply = await http.post("/v1/things/7?q=1", headers={"X-Request-Id": "mine-1", "traceparent": TRACEPARENT})
    assert (reply.status_code, reply.text, reply.headers["x-request-id"]) == (201, "made", "mine-1")
    [line] = obs.events("http.access")
    request, response = sorted(obs.spans(), key=lambda span: span.name)
    assert {key: value for key, value in line.items() if key not in ("timestamp", "span_id")} == {
        "level": "info", "component": "control-plane", "msg": "Request answered.", "event": "http.access",
        "request_id": "mine-1", "trace_id": TRACEPARENT[3:35], "method": "POST", "path_template": "/v1/things/{thing}",
        "status_code": 201, "duration_seconds": 0.0,
    }  # fmt: skip
    assert (request.name, response.name) == ("http.request", "http.response")
    assert f"{request.context.trace_id:032x}" == TRACEPARENT[3:35]
    assert response.parent.span_id == request.context.span_id
    labels = {"method": "POST", "path_template": "/v1/things/{thing}"}
    assert obs.sample("http_requests_total", status_class="2xx", **labels) == 1.0
    assert obs.sample("http_request_duration_seconds_count", **labels) == 1.0
    assert obs.sample("http_request_errors_total", **labels) is None


@pytest.mark.parametrize("sent", ["", " ", "a b", "x" * 129, "tab\there"])
async def test_a_request_id_that_cannot_be_used_is_replaced(plane: ControlPlane, sent: str) -> None:
    """The answer carries a fresh id of ours instead."""
    async with client(plane, answer) as http:
        reply = await http.get("/", headers={"X-Request-Id": sent})
    assert reply.headers["x-request-id"].startswith("req_")


async def test_an_application_that_raises_is_answered_for(obs: RecordedObservability, plane: ControlPlane) -> None:
    """The caller gets problem details without a word of the reason; the line has the reason under the same id."""

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("secret formula")

    async with client(plane, broken) as http:
        reply = await http.get("/boom")
    assert (reply.status_code, reply.headers["content-type"]) == (500, "application/problem+json")
    assert reply.json() == {
        "type": "about:blank", "title": "Internal Server Error", "status": 500,
        "detail": "the server failed; the request id finds the reason in its log", "instance": "/boom", "code": "internal",
        "request_id": reply.headers["x-request-id"], "retryable": False,
    }  # fmt: skip
    [line] = obs.events("http.failed")
    assert (line["request_id"], line["error_message"]) == (reply.headers["x-request-id"], "secret formula")
    [root] = [span for span in obs.spans() if span.name == "http.request"]
    assert not root.status.is_ok
    labels = {"method": "GET", "path_template": "unmatched"}
    assert obs.sample("http_request_errors_total", error_class="internal", **labels) == 1.0


async def test_an_error_the_application_answered_itself_keeps_its_reason(
    obs: RecordedObservability, plane: ControlPlane
) -> None:
    """What it leaves in the scope is on the failure line."""

    async def unavailable(scope: Any, receive: Any, send: Any) -> None:
        scope["error"] = ConnectionError("no database")
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with client(plane, unavailable) as http:
        await http.get("/")
    [line] = obs.events("http.failed")
    assert (line["error_class"], line["error_message"], line["status_code"]) == ("unavailable", "no database", 503)


async def test_a_client_that_leaves_is_no_failure_of_the_server(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Nothing was answered: 499 in the line, 4xx in the count, no error line."""

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        return

    scope = {"type": "http", "method": "BREW", "path": "/", "headers": []}
    await plane.requests.around(silent)(scope, silent, silent)  # type: ignore[arg-type]
    [line] = obs.events("http.access")
    assert (line["method"], line["status_code"]) == ("BREW", 499)
    assert obs.sample("http_requests_total", method="OTHER", status_class="4xx") == 1.0
    assert obs.events("http.failed") == []


async def test_another_protocol_passes_through(plane: ControlPlane) -> None:
    """Lifespan and websocket are the host's business."""
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await plane.requests.around(app)({"type": "lifespan"}, app, app)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


def test_the_pool_is_told_at_each_scrape(obs: RecordedObservability, plane: ControlPlane, host: Host) -> None:
    """Its size is read when asked for; waits and their time-outs are counted."""
    assert obs.sample("db_pool_connections", state="in_use") == 2.0
    host.figures["in_use"] = 3
    assert obs.sample("db_pool_connections", state="in_use") == 3.0
    assert (obs.sample("db_pool_connections_max"), obs.sample("db_pool_waiters")) == (10.0, 4.0)
    with plane.database.acquiring():
        pass
    with suppress(PoolTimeout), plane.database.acquiring():
        raise PoolTimeout
    assert obs.sample("db_pool_acquire_duration_seconds_count") == 2.0
    assert obs.sample("db_pool_acquire_timeouts_total") == 1.0


def test_an_operation_is_a_span_without_its_statement(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Name and class of the operation, and nothing else (TRC-05)."""
    with plane.database.query("view_read"):
        pass
    [span] = obs.spans()
    told = {key: value for key, value in dict(span.attributes).items() if not key.startswith("sampling")}
    assert (span.name, told.get("operation")) == ("db.query", "view_read")
    assert obs.sample("db_query_duration_seconds_count", operation="view_read") == 1.0


class Conflict(Exception):
    """Somebody else was faster."""

    error_class = ErrorClass.CONFLICT


def test_appends_are_counted_by_what_became_of_them(obs: RecordedObservability, plane: ControlPlane) -> None:
    """A conflict is no failure, and only what was committed gets a line."""
    with plane.commands.appending(["app.created", "env.created"]) as appending:
        appending.done([(1, "app.created", "app"), (2, "env.created", "env")])
    with suppress(Conflict), plane.commands.appending(["app.created"]):
        raise Conflict
    with suppress(ConnectionError), plane.commands.appending(["app.created"]):
        raise ConnectionError
    assert {r: obs.sample("event_append_total", result=r) for r in ("success", "conflict", "failure")} == {
        "success": 1.0, "conflict": 1.0, "failure": 1.0,
    }  # fmt: skip
    assert [line["event_id"] for line in obs.events("event.appended")] == [1, 2]
    assert len(obs.events("loop.failed")) == 1


def test_a_delivery_is_linked_to_what_it_delivers(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Distribute holds deliver, both point at the traces that appended, each once (TRC-03)."""
    with plane.changes.delivering("edge", causes=[TRACEPARENT, "", TRACEPARENT], cursor_event_id=9):
        pass
    deliver, distribute = sorted(obs.spans(), key=lambda span: span.name)
    assert deliver.parent.span_id == distribute.context.span_id
    for span in (deliver, distribute):
        assert [f"{link.context.trace_id:032x}" for link in span.links] == [TRACEPARENT[3:35]]
    assert dict(deliver.attributes)["cursor_event_id"] == 9


async def test_every_check_tells_what_is_wrong(obs: RecordedObservability, plane: ControlPlane, host: Host) -> None:
    """A host that is well is ready; each trouble fails its own check, by its own reason (HLT-CP)."""
    await plane.purging.once()
    assert (await obs.health.refresh()).status == "ready"
    assert obs.sample("db_up") == 1.0
    host.is_database_up, host.can_append = False, False
    host.state = ProjectorState(age_s=6.0, critical_lag={"routes": 50_001, "nodes": 5_001, "envs": 5_000})
    host.scheduler_age = None
    host.heard = {"node_a": Heard(name="agent-1", at=None), "node_b": Heard(name="edge-1", at=obs.clock.now())}
    snapshot = await obs.health.refresh()
    reasons = {name: (state.verdict.reason, state.verdict.detail) for name, state in snapshot.checks.items()}
    assert reasons["db_connectivity"] == ("database_unreachable", "ConnectionError")
    assert reasons["projections"] == ("projector_silent", "last heard 6 s ago")
    assert reasons["projections_current"] == ("projections_behind", "nodes by 5001 events, routes by 50001 events")
    assert reasons["scheduler"] == ("scheduler_silent", "never heard")
    assert reasons["consumers_reporting"] == ("nodes_silent", "not heard lately: agent-1")
    assert str(snapshot.checks["event_append"].verdict.status) != "ok"
    assert snapshot.status == "not_ready"
    assert obs.sample("db_up") == 0.0
    host.state = ProjectorState(age_s=0.0, critical_lag={"routes": 50_001})
    assert (await obs.health.refresh()).checks["projections"].verdict.reason == "projections_behind"


async def test_a_lag_that_is_no_catastrophe_only_degrades(obs: RecordedObservability, plane: ControlPlane, host: Host) -> None:
    """Over 5 000 events behind the control plane still takes requests (HLT-CP-03)."""
    host.state = ProjectorState(age_s=0.0, critical_lag={"routes": 5_001})
    assert (await obs.health.refresh()).status == "degraded"


async def test_without_the_scheduler_it_is_ready_in_part(obs: RecordedObservability, plane: ControlPlane, host: Host) -> None:
    """Requests are still taken, and /readyz says what is missing (HLT-CP-04)."""
    await plane.purging.once()
    host.scheduler_age = 61.0
    snapshot = await obs.health.refresh()
    assert (str(snapshot.status), snapshot.is_ready) == ("partial", True)
    assert str(snapshot.checks["scheduler"].verdict.status) == "failing"


async def test_a_recent_append_spares_the_probe(obs: RecordedObservability, plane: ControlPlane, host: Host) -> None:
    """An append of the last minute proves that appending works; later it is tried."""
    host.can_append = False
    with plane.commands.appending(["app.created"]):
        pass
    assert str((await obs.health.refresh()).checks["event_append"].verdict.status) == "ok"
    assert isinstance(obs.clock, FixedClock)
    obs.clock.advance(61.0)
    assert str((await obs.health.refresh()).checks["event_append"].verdict.status) != "ok"


def test_heartbeats_are_remembered_and_forgotten_with_their_node(obs: RecordedObservability, plane: ControlPlane) -> None:
    """The gauge holds the nodes that count; the line tells the first report and the return from silence."""
    ours, gone = "node_01J00000000000000000000001", "node_01J00000000000000000000002"
    plane.changes.heard(ours, "agent", 100.0)
    plane.changes.heard(ours, "agent", 101.0)
    plane.changes.heard(gone, "edge", 101.0)
    plane.changes.heard(ours, "agent", 110.0)
    assert [(line["node_id"], line["status"]) for line in obs.events("node.reported")] == [
        (ours, "first_report"), (gone, "first_report"), (ours, "back"),
    ]  # fmt: skip
    plane.changes.known({ours: 105.0})
    assert obs.sample("node_last_heartbeat_timestamp_seconds", node_id=ours) == 110.0
    assert obs.sample("node_last_heartbeat_timestamp_seconds", node_id=gone) is None


def test_a_status_and_its_class_answer_each_other() -> None:
    """Every class has a status that leads back to a class with the same status."""
    for error_class in ErrorClass:
        assert status_of(class_of(status_of(error_class))) == status_of(error_class)
    assert (class_of(413), class_of(405), class_of(502)) == (
        ErrorClass.INVALID_ARGUMENT, ErrorClass.INVALID_ARGUMENT, ErrorClass.INTERNAL,
    )  # fmt: skip


@pytest.fixture
def projector(host: Host) -> Iterator[tuple[RecordedObservability, Projector]]:
    """An instrumented projector."""
    with observability("projector") as obs:
        yield (  # type: ignore[misc]
            obs,
            instrument_projector(
                obs, figures=lambda: host.figures, timeouts=(PoolTimeout,), ping=host.ping, stalled_after_s=5.0
            ),
        )


def test_an_applied_event_is_told_in_the_trace_that_appended_it(projector: tuple[RecordedObservability, Projector]) -> None:
    """Span, line and figure; and what cannot be applied is counted by view and class and stays loud."""
    obs, shim = projector
    with shim.applying("apps", event_id=7, event_type="app.created", traceparent=TRACEPARENT):
        pass
    [line] = obs.events("projection.applied")
    assert (line["trace_id"], line["event_id"], line["projection"]) == (TRACEPARENT[3:35], 7, "apps")
    with pytest.raises(KeyError), shim.applying("apps", event_id=8, event_type="app.created", traceparent=""):
        raise KeyError("name")
    [failed] = obs.events("projection.failed")
    assert (failed["event_id"], failed["error_class"]) == (8, "internal")
    assert obs.sample("projection_errors_total", projection="apps", error_class="internal") == 1.0
    assert obs.sample("projection_event_processing_duration_seconds_count", event_type="app.created") == 1.0
    assert len(obs.events("projection.applied")) == 1


def test_the_projector_tells_where_it_stands_and_how_large_the_log_is(
    projector: tuple[RecordedObservability, Projector],
) -> None:
    """Checkpoint and lag of each projection; rows of the log are absent until the database has an estimate (EXT-09)."""
    obs, shim = projector
    shim.stand([Projecting(projection="apps", applied_event_id=3, lag_events=2, lag_seconds=1.5)])
    assert obs.sample("projection_last_applied_event_id", projection="apps") == 3
    assert obs.sample("projection_lag_events", projection="apps") == 2
    shim.log_holds(rows=None, size_bytes=8_192)
    assert (obs.sample("event_log_rows"), obs.sample("event_log_size_bytes")) == (None, 8_192)
    shim.log_holds(rows=41.5, size_bytes=16_384)
    assert (obs.sample("event_log_rows"), obs.sample("event_log_size_bytes")) == (41.5, 16_384)


class Refusal(Exception):
    """Something the caller can mend."""

    error_class = ErrorClass.CONFLICT


@pytest.mark.parametrize(
    ("raised", "result"), [(None, "success"), (Refusal("no"), "rejected"), (TimeoutError(), "failure"), (OSError(), "failure")]
)
def test_a_release_that_is_asked_for_is_counted_by_whose_fault_it_was(
    obs: RecordedObservability, plane: ControlPlane, raised: Exception | None, result: str
) -> None:
    """What a caller can mend does not count against the objective for releases; what we failed at does (EXT-11)."""
    with suppress(Refusal, OSError), plane.releases.creating():
        if raised is not None:
            raise raised
    counted = {each: obs.sample("release_create_total", result=each) for each in ("success", "rejected", "failure")}
    assert counted == {"success": 0, "rejected": 0, "failure": 0, result: 1}


@pytest.mark.parametrize(
    ("raised", "result"), [(None, "success"), (Refusal("no"), "rejected"), (TimeoutError(), "failure"), (OSError(), "failure")]
)
def test_a_token_that_is_asked_for_is_counted_by_its_holder_and_what_came_of_it(
    obs: RecordedObservability, plane: ControlPlane, raised: Exception | None, result: str
) -> None:
    """Minted or refreshed; holders are apart, and so are our faults and the caller's (EXT-10)."""
    for asking in (plane.tokens.minting("node"), plane.tokens.refreshing()):
        with suppress(Refusal, OSError), asking:
            if raised is not None:
                raise raised
    results = ("success", "rejected", "failure")
    expected = {"success": 0, "rejected": 0, "failure": 0, result: 1}
    assert {each: obs.sample("auth_token_mints_total", kind="node", result=each) for each in results} == expected
    assert {each: obs.sample("auth_token_refreshes_total", result=each) for each in results} == expected
    assert [obs.sample("auth_token_mints_total", kind="user", result=each) for each in results] == [0, 0, 0]


def test_an_address_pool_shows_how_full_it_is(obs: RecordedObservability, host: Host) -> None:
    """As a share, at each scrape; a pool without addresses is absent, and who got none is counted (EXT-03)."""
    pools = {"node": AddressPool(size=64, used=16), "instance": AddressPool(size=0, used=0)}
    plane = instrument(
        obs, audit=MemoryAudit(), figures=lambda: host.figures, timeouts=(), ping=host.ping, probe_append=host.probe_append,
        projector=host.projector, scheduler_age_s=host.scheduler_age_s, last_heard=host.last_heard, pools=lambda: pools,
    )  # fmt: skip
    assert obs.sample("ipam_pool_used_ratio", kind="node") == 0.25
    pools["node"] = AddressPool(size=64, used=64)
    plane.addresses.refused("node")
    assert obs.sample("ipam_pool_used_ratio", kind="node") == 1.0
    assert [obs.sample("ipam_pool_used_ratio", kind=kind) for kind in ("instance", "ipv4")] == [None, None]
    assert [obs.sample("ipam_allocation_failures_total", kind=kind) for kind in ("node", "ipv4")] == [1, 0]


def test_without_address_pools_nothing_is_said_of_them(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Absent, not 0: a platform without pools has none that is empty (EXT-03)."""
    plane.addresses.refused("ipv4")
    assert [obs.sample("ipam_pool_used_ratio", kind=kind) for kind in ("node", "instance", "ipv4")] == [None, None, None]


def test_a_refusal_by_quota_is_counted_by_what_was_full(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Every dimension is there from the start, at 0, so that a first refusal can be seen (EXT-04)."""
    assert obs.sample("quota_rejections_total", reason="max_volumes") == 0
    plane.quotas.refused("max_apps")
    assert obs.sample("quota_rejections_total", reason="max_apps") == 1


async def test_a_checkpoint_that_stands_still_makes_it_not_ready(
    projector: tuple[RecordedObservability, Projector],
) -> None:
    """Only while events wait; moving, or catching up, makes it ready again (HLT-PJ-01)."""
    obs, shim = projector
    assert isinstance(obs.clock, FixedClock)
    at = {"projection": "apps", "applied_event_id": 3}
    shim.stand([Projecting(**at, lag_events=2, lag_seconds=1.5)])  # type: ignore[arg-type]
    assert (obs.sample("projection_lag_events", projection="apps"), obs.sample("projection_lag_seconds")) == (2.0, 1.5)
    obs.clock.advance(6.0)
    assert (await obs.health.refresh()).checks["checkpoint_moving"].verdict.reason == "checkpoint_stalled"
    shim.moved()
    assert (await obs.health.refresh()).status == "ready"
    obs.clock.advance(6.0)
    shim.stand([Projecting(**at, lag_events=0, lag_seconds=0.0)])  # type: ignore[arg-type]
    assert (await obs.health.refresh()).status == "ready"


async def test_a_mutant_that_keeps_the_trace_to_itself_is_caught(
    obs: RecordedObservability, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without reading traceparent the request would begin a trace of its own, and the first test here would fail."""
    monkeypatch.setattr(obs.traces, "extract", lambda headers: None)
    async with client(plane, answer) as http:
        await http.get("/", headers={"traceparent": TRACEPARENT})
    [line] = obs.events("http.access")
    assert line["trace_id"] != TRACEPARENT[3:35]
    assert json.dumps(line)


class Lines:
    """A store of workload lines by their age."""

    def __init__(self, *at: float) -> None:
        self.at = list(at)

    async def purge(self, before_unix_s: float) -> int:
        """Remove the older ones."""
        kept = [at for at in self.at if at >= before_unix_s]
        gone, self.at = len(self.at) - len(kept), kept
        return gone


class Stuck:
    """A store that cannot be purged."""

    async def purge(self, before_unix_s: float) -> int:
        """Fail."""
        raise OSError("read-only file system")


async def test_what_the_policy_no_longer_keeps_is_purged_and_counted(obs: RecordedObservability, plane: ControlPlane) -> None:
    """Older records go, younger stay; a store that fails is counted and logged, and does not keep the others (RET-02)."""
    now, day = obs.clock.now(), 86_400.0
    lines = Lines(now - 8 * day, now - 7.5 * day, now - 6 * day, now)
    plane.purging.register("traces", Stuck())
    plane.purging.register("workload_logs", lines)
    await plane.purging.once()
    assert lines.at == [now - 6 * day, now]
    assert obs.sample("retention_purged_records_total", kind="workload_logs") == 2
    assert [(line["kind"], line["count"]) for line in obs.events("retention.purged")] == [("workload_logs", 2)]
    assert [span.name for span in obs.spans()] == ["retention.purge"]
    assert obs.sample("loop_errors_total", loop="retention_purge", error_class="dependency") == 1
    await plane.purging.once()
    assert obs.sample("retention_purged_records_total", kind="workload_logs") == 2
