"""What nodes do with the API: enrol, fetch plan and config, report; and what they cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from miniplatform.store.events import SYSTEM, NewEvent, append
from tests.miniplatform.platform_in_process import InProcess, deployed

pytestmark = pytest.mark.slow

INSTANCE = "inst_01J00000000000000000000001"
SPEC = {"command": ["python", "-m", "web"], "health": {"type": "tcp"}}


async def allocate(plane: InProcess, ids: dict[str, Any], node_id: str, *, instance_id: str = INSTANCE) -> None:
    """Place an instance on a node, as the scheduler does, and wait until the views have it."""
    allocated = NewEvent(
        aggregate_type="instance", aggregate_id=instance_id, event_type="instance.allocated", org_id=ids["org_id"],
        app_id=ids["app_id"], env_id=ids["env_id"], correlation_id=ids["deploy_id"],
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        payload={
            "node_id": node_id, "assignment_id": "asgn_1", "process_type": "web", "release_id": ids["release_id"],
            "deploy_id": ids["deploy_id"], "group_spec_hash": "sha256:0", "spec": SPEC,
        },
    )  # fmt: skip
    await tell(plane, allocated)


async def tell(plane: InProcess, event: NewEvent) -> None:
    """Append as the system and wait until the projector has been there."""
    async with plane.database.transaction("event_append") as connection:
        [event_id] = await append(connection, [event], actor=SYSTEM, request_id="req_test")
    reached = "SELECT 1 FROM projection_checkpoints WHERE last_applied_event_id >= %(id)s LIMIT 1"
    while await plane.database.row("view_read", reached, {"id": event_id}) is None:
        await plane.operator.get("/v1/whoami")


async def start(plane: InProcess) -> tuple[Any, dict[str, Any], str, Any]:
    """A tenant's client, its deploy, and an agent that has an instance of it."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    ids["org_id"] = (await client.get("/v1/whoami")).json()["org_id"]
    node_id, agent = await plane.node("agent-1")
    await allocate(plane, ids, node_id)
    return client, ids, node_id, agent


async def test_a_node_enrolled_again_keeps_its_id_and_loses_its_old_token(plane: InProcess) -> None:
    """A machine that lost its identity file comes back as itself; the lost token opens nothing."""
    node_id, before = await plane.node("agent-1")
    again, after = await plane.node("agent-1")
    assert again == node_id
    assert (await before.get(f"/v1/nodes/{node_id}/plan")).status_code == 401
    assert (await after.get(f"/v1/nodes/{node_id}/plan")).status_code == 200
    refused = await plane.operator.post("/v1/nodes", json={"name": "agent-1", "kind": "edge", "address": "a"})
    assert refused.status_code == 409


async def test_a_node_is_taken_out_of_service_and_back_by_an_operator(plane: InProcess) -> None:
    """Only from a state that leads there, only an agent, and for nobody else; the wish is an event."""
    client = await plane.org("acme")
    node_id, agent = await plane.node("agent-1")
    edge_id, _ = await plane.node("edge-1", "edge")
    path = f"/v1/nodes/{node_id}/state"
    back = await plane.operator.put(path, json={"state": "active"})
    assert (back.status_code, back.json()["detail"]) == (
        409, "agent-1 is active; only what is draining or disabled can become active",
    )  # fmt: skip
    for state in ("draining", "active"):
        assert (await plane.operator.put(path, json={"state": state})).json()["state"] == state
    for stranger in (client, agent):
        assert (await stranger.put(path, json={"state": "draining"})).status_code in (403, 404)
    assert (await plane.operator.put(f"/v1/nodes/{edge_id}/state", json={"state": "draining"})).status_code == 404
    assert (await plane.operator.put(path, json={"state": "disabled"})).status_code == 400
    found = await plane.database.rows(
        "view_read",
        "SELECT payload FROM events WHERE event_type = 'node.state_changed' ORDER BY event_id",
    )
    assert [row["payload"]["state"] for row in found] == ["draining", "active"]


async def test_a_node_sees_its_own_plan_alone(plane: InProcess) -> None:
    """To another node, and to any tenant, a node does not exist; a node is no tenant either."""
    client, _, node_id, agent = await start(plane)
    other_id, other = await plane.node("agent-2")
    plan = (await agent.get(f"/v1/nodes/{node_id}/plan")).json()
    assert [one["instance_id"] for one in plan["instances"]] == [INSTANCE]
    assert plan["instances"][0]["traceparent"] == "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    assert plan["cursor_event_id"] == plan["head_event_id"] > 0
    assert (await other.get(f"/v1/nodes/{other_id}/plan")).json()["instances"] == []
    for stranger in (other, client, plane.operator):
        assert (await stranger.get(f"/v1/nodes/{node_id}/plan")).status_code == 404
        status = {"instance_id": INSTANCE, "boot_id": "boot_1", "status": "ready"}
        answer = await stranger.post(f"/v1/nodes/{node_id}/instances/{INSTANCE}/status", json=status)
        assert answer.status_code == 404
    stolen = await other.post(f"/v1/nodes/{other_id}/instances/{INSTANCE}/status", json=status)
    assert stolen.status_code == 404
    assert (await agent.get("/v1/orgs/acme/apps")).status_code == 404


async def test_an_unchanged_plan_keeps_its_id(plane: InProcess) -> None:
    """The plan's id names its content: the same until something in it changes."""
    _, ids, node_id, agent = await start(plane)
    first = (await agent.get(f"/v1/nodes/{node_id}/plan")).json()["plan_id"]
    assert (await agent.get(f"/v1/nodes/{node_id}/plan")).json()["plan_id"] == first
    drained = NewEvent(
        aggregate_type="instance", aggregate_id=INSTANCE, event_type="instance.desired_state_changed",
        org_id=ids["org_id"], app_id=ids["app_id"], env_id=ids["env_id"],
        payload={"desired_state": "draining", "reason": "scale_down"},
    )  # fmt: skip
    await tell(plane, drained)
    changed = (await agent.get(f"/v1/nodes/{node_id}/plan")).json()
    assert changed["plan_id"] != first
    assert changed["instances"][0]["desired_reason"] == "scale_down"


async def test_a_report_sent_twice_is_one_event(plane: InProcess) -> None:
    """An agent that did not hear the answer sends its report again; the log has it once, then what follows."""
    client, _, node_id, agent = await start(plane)
    path = f"/v1/nodes/{node_id}/instances/{INSTANCE}/status"
    ready = {"instance_id": INSTANCE, "boot_id": "boot_1", "status": "ready", "address": "127.0.0.1", "port": 4000}
    answers = [(await agent.post(path, json=ready)).json()["event_id"] for _ in range(3)]
    assert len(set(answers)) == 1
    end = {"termination_class": "oom", "reason_code": "oom_killed", "exit_code": -9}
    failed = {"instance_id": INSTANCE, "boot_id": "boot_1", "status": "failed", "termination": end}
    assert (await agent.post(path, json=failed)).status_code == 201
    assert (await agent.post(path, json=ready)).json()["event_id"] > answers[0]
    items = (await client.get("/v1/orgs/acme/events?event_type=instance.status_changed")).json()["items"]
    assert [item["payload"]["status"] for item in items] == ["ready", "failed", "ready"]
    assert items[1]["payload"]["termination_class"] == "oom"
    assert {(item["actor_type"], item["actor_id"]) for item in items} == {("system", node_id)}
    nameless = {"instance_id": INSTANCE, "boot_id": "boot_1", "status": "failed"}
    assert (await agent.post(path, json=nameless)).status_code == 400


async def test_figures_near_the_end_are_described_and_stay_out_of_the_log(plane: InProcess) -> None:
    """Cap, peak and release are in ``describe instance``; the event's payload has no field more (platform facts §22.31)."""
    client, ids, node_id, agent = await start(plane)
    path = f"/v1/nodes/{node_id}/instances/{INSTANCE}/status"
    end = {"termination_class": "oom", "reason_code": "oom_killed", "memory_limit_bytes": 64, "memory_peak_bytes": 63}
    failed = {"instance_id": INSTANCE, "boot_id": "boot_1", "status": "failed", "termination": end}
    event_id = (await agent.post(path, json=failed)).json()["event_id"]
    described = f"{ids['env']}/instances/{INSTANCE}/describe"
    while (found := (await client.get(described)).json()["termination"]) is None:
        await plane.operator.get("/v1/whoami")
    shown = {"memory_limit_bytes": 64, "memory_peak_bytes": 63, "memory_usage_bytes": None, "release_id": ids["release_id"]}
    assert {name: found[name] for name in shown} == shown
    [event] = (await client.get(f"/v1/orgs/acme/events?after_event_id={event_id - 1}&limit=1")).json()["items"]
    assert set(event["payload"]) == {
        "status", "boot_id", "address", "port", "restarts", "is_final", "node_id", "reason_code", "reason_detail",
        "termination_class", "exit_code",
    }  # fmt: skip


async def test_an_edge_gets_every_route_with_its_backends(plane: InProcess) -> None:
    """Ready instances are behind their route, in the env they belong to; reports move them in and out."""
    client, ids, node_id, agent = await start(plane)
    wanted = {"hostname": "web.example", "listener_port": 9000, "process_type": "web"}
    route = (await client.post(f"{ids['env']}/routes", json=wanted)).json()
    edge_id, edge = await plane.node("edge-1", "edge")
    config = (await edge.get(f"/v1/edges/{edge_id}/config")).json()
    assert [(r["route_id"], r["backends"]) for r in config["routes"]] == [(route["route_id"], [])]
    ready = {"instance_id": INSTANCE, "boot_id": "boot_1", "status": "ready", "address": "127.0.0.1", "port": 4000}
    event_id = (await agent.post(f"/v1/nodes/{node_id}/instances/{INSTANCE}/status", json=ready)).json()["event_id"]
    while (changed := (await edge.get(f"/v1/edges/{edge_id}/config")).json())["cursor_event_id"] < event_id:
        await plane.operator.get("/v1/whoami")
    backend = changed["routes"][0]["backends"][0]
    assert (backend["instance_id"], backend["address"], backend["port"], backend["state"]) == (
        INSTANCE, "127.0.0.1", 4000, "ready",
    )  # fmt: skip
    assert changed["config_id"] != config["config_id"]


async def test_heartbeats_are_reports_and_not_events(plane: InProcess) -> None:
    """They show in the operator's view and on the gauge, and the log does not grow by them."""
    node_id, agent = await plane.node("agent-1")
    edge_id, edge = await plane.node("edge-1", "edge")
    newest = await plane.database.row("event_read", "SELECT max(event_id) AS id FROM events")
    for _ in range(2):
        beat = await agent.post(f"/v1/nodes/{node_id}/heartbeat", json={"cursor_event_id": 3, "backoffs": {"inst_1": 0.4}})
        assert beat.json() == {"accepted": True, "interval_seconds": 1.0}
        await edge.post(f"/v1/edges/{edge_id}/heartbeat", json={"cursor_event_id": 2, "last_error": "no"})
    consumers = {one["node_id"]: one for one in (await plane.operator.get("/_debug/consumers")).json()["items"]}
    assert (consumers[node_id]["cursor_event_id"], consumers[node_id]["backoffs"]) == (3, {"inst_1": 0.4})
    assert (consumers[edge_id]["consumer"], consumers[edge_id]["last_error"]) == ("edge", "no")
    assert plane.obs.sample("node_last_heartbeat_timestamp_seconds", node_id=node_id)
    assert [line["status"] for line in plane.obs.events("node.reported")] == ["first_report", "first_report"]
    assert await plane.database.row("event_read", "SELECT max(event_id) AS id FROM events") == newest
