"""One command is one trace: the spans of the command path, of projections and of deliveries, and where they hang."""

from __future__ import annotations

from typing import Any

import pytest

from tests.miniplatform.event_stream import EventStream
from tests.miniplatform.platform_in_process import InProcess, deployed

pytestmark = pytest.mark.slow

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def tree(spans: list[Any], trace_id: int) -> dict[str, list[str]]:
    """Names of the children of each span of a trace, in the order they began; the root's parent is ``""``."""
    mine = sorted((s for s in spans if s.context.trace_id == trace_id), key=lambda s: s.start_time)
    names = {s.context.span_id: s.name for s in mine}
    found: dict[str, list[str]] = {}
    for span in mine:
        parent = names.get(span.parent.span_id, "") if span.parent else ""
        found.setdefault(parent, []).append(span.name)
    return found


async def test_the_command_path_is_these_spans(plane: InProcess) -> None:
    """validate, append, wait and response hang below the request, in this order, in the caller's trace (TRC-01)."""
    client = await plane.org("acme")
    answer = await client.post("/v1/orgs/acme/apps", json={"name": "web"}, headers={"traceparent": TRACEPARENT})
    assert answer.status_code == 201
    trace_id = int(TRACEPARENT[3:35], 16)
    found = tree(plane.obs.spans(), trace_id)
    assert found[""] == ["http.request"]
    steps = [name for name in found["http.request"] if name != "db.query"]
    assert steps == ["command.validate", "event.append", "projection.wait", "http.response"]
    assert set(found["event.append"]) == {"db.query"}
    assert set(found["projection.wait"]) == {"db.query"}
    [root] = [s for s in plane.obs.spans() if s.context.trace_id == trace_id and s.name == "http.request"]
    told = {"method": "POST", "path_template": "/v1/orgs/{org}/apps", "status_code": 201}
    assert told.items() <= dict(root.attributes).items()
    operations = {dict(s.attributes)["operation"] for s in plane.obs.spans() if s.name == "db.query"}
    assert operations <= {
        "auth", "view_read", "event_append", "event_read", "idempotency", "health_probe", "agent_rpc", "checkpoint_write",
        "log_write",
    }  # fmt: skip


async def test_the_projector_applies_in_the_trace_that_appended(plane: InProcess) -> None:
    """The event carries the request's trace, and the projector's span and line are part of it (TRC-03, TRC-04)."""
    client = await plane.org("acme")
    answer = await client.post("/v1/orgs/acme/apps", json={"name": "web"}, headers={"traceparent": TRACEPARENT})
    event_id = answer.json()["event_id"]
    [applied] = [s for s in plane.projector.spans() if dict(s.attributes or {}).get("event_id") == event_id]
    assert f"{applied.context.trace_id:032x}" == TRACEPARENT[3:35]
    [line] = [one for one in plane.projector.events("projection.applied") if one["event_id"] == event_id]
    assert (line["trace_id"], line["projection"]) == (TRACEPARENT[3:35], "apps")
    [appended] = [one for one in plane.obs.events("event.appended") if one["event_id"] == event_id]
    assert appended["trace_id"] == TRACEPARENT[3:35]
    assert appended["request_id"] == answer.json()["request_id"]


async def test_a_config_is_delivered_with_links_to_what_changed(plane: InProcess) -> None:
    """A new config is distributed and delivered once, linked to the command behind it; the same one again is neither."""
    client = await plane.org("acme")
    env = (await deployed(client, "acme"))["env"]
    wanted = {"hostname": "web.example", "listener_port": 9000, "process_type": "web"}
    await client.post(f"{env}/routes", json=wanted, headers={"traceparent": TRACEPARENT})
    edge_id, edge = await plane.node("edge-1", "edge")
    for _ in range(3):
        await edge.get(f"/v1/edges/{edge_id}/config")
    spans = {s.context.span_id: s for s in plane.obs.spans()}
    [deliver] = [s for s in spans.values() if s.name == "changestream.deliver"]
    assert dict(deliver.attributes)["consumer"] == "edge"
    assert spans[deliver.parent.span_id].name == "changestream.distribute"
    for span in (deliver, spans[deliver.parent.span_id]):
        assert f"{span.links[0].context.trace_id:032x}" == TRACEPARENT[3:35]


async def test_the_stream_follows_the_log(plane: InProcess) -> None:
    """Each event of the org comes once, in order, as a line, from where the reader asked; revocation ends it."""
    client = await plane.org("acme")
    first = (await client.post("/v1/orgs/acme/apps", json={"name": "web"})).json()["event_id"]
    stream = EventStream(plane.app, "/v1/orgs/acme/events/stream", f"after_event_id={first - 1}&poll_ms=100", client)
    async with stream:
        assert (await stream.line())["type"] == "app.created"
        await plane.org("globex")
        await client.post("/v1/orgs/acme/apps/web/envs", json={"name": "prod"})
        line = await stream.line()
        assert (line["type"], line["payload"]) == ("env.created", {"name": "prod"})
        assert sorted(line) == ["aggregate_id", "aggregate_type", "app_id", "env_id", "payload", "seq", "ts", "type"]
        async with plane.database.transaction("auth") as connection:
            await connection.execute("UPDATE tokens SET revoked_at = now() WHERE org_id IS NOT NULL")
        assert await stream.line() is None
