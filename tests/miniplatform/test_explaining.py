"""Why, changes and edges over a real database: the queries behind obslib's explanations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.miniplatform.platform_in_process import InProcess, deployed

pytestmark = pytest.mark.slow


async def test_changes_tell_old_and_new_across_the_window(plane: InProcess) -> None:
    """The newest events of the env, with the old value from an event that was cut off; instances only if asked for."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    for replicas in (3, 4):
        await client.put(f"{ids['env']}/scale", json={"web": replicas})

    async def asked(**parameters: str) -> Any:
        reply = await client.get("/v1/orgs/acme/changes", params=parameters)
        assert reply.status_code == 200, reply.text
        return reply.json()

    whole = await asked(env_id=ids["env_id"])
    fields = [(c["field"], c["old"], c["new"]) for c in whole["changes"] if c["action"] == "changed"]
    assert ("release_id", None, ids["release_id"]) in fields
    assert fields[-2:] == [("web.replicas", 2, 3), ("web.replicas", 3, 4)]
    assert not whole["is_cut"]
    cut = await asked(env_id=ids["env_id"], limit="1")
    assert [(c["old"], c["new"], c["is_old_known"]) for c in cut["changes"]] == [(3, 4, True)]
    assert (cut["is_cut"], cut["complete_since"]) == (True, cut["changes"][0]["at"])
    assert (await asked(until="2020-01-01T00:00:00Z", since="2019-01-01T00:00:00Z"))["changes"] == []
    assert (await asked(app_id=ids["app_id"]))["events"] > whole["events"]


@pytest.mark.parametrize(
    "parameters",
    [{"since": "yesterday"}, {"limit": "0"}, {"limit": "1001"}, {"env_id": "prod"}, {"instances": "yes"}, {"color": "red"}],
)
async def test_what_changes_do_not_understand_is_refused(plane: InProcess, parameters: dict[str, str]) -> None:
    """An unfiltered answer would be taken for a filtered one."""
    client = await plane.org("acme")
    assert (await client.get("/v1/orgs/acme/changes", params=parameters)).status_code == 400


async def test_why_tells_the_wish_behind_the_broken_link(plane: InProcess) -> None:
    """Without a scheduler nothing is allocated; the newest wish is told, with its deploy and who made it."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    found = (await client.get(f"{ids['env']}/why")).json()
    assert (found["kind"], found["first_broken"]["link"], found["is_healthy"]) == ("why", "allocated", False)
    newest = found["changed_before"][0]
    assert (newest["field"], newest["new"], newest["deploy_id"]) == ("web.replicas", 2, ids["deploy_id"])
    assert newest["actor_type"] == "service_principal"


async def test_edges_are_shown_to_operators_by_name(plane: InProcess) -> None:
    """What an edge reports is there; an agent is no edge, and an org's owner is no operator."""
    owner = await plane.org("acme")
    enrolled = {}
    for name, kind in (("edge-1", "edge"), ("agent-1", "agent")):
        body = {"name": name, "kind": kind, "address": "127.0.0.1"}
        enrolled[kind] = (await plane.operator.post("/v1/nodes", json=body)).json()
    report = {
        "applied_event_id": 3, "last_result": "success",
        "routes": {"rt_1": {"listener_port": 80, "problem": "port_unavailable"}},
    }  # fmt: skip
    edge = plane.client(enrolled["edge"]["token"])
    assert (await edge.post(f"/v1/edges/{enrolled['edge']['node_id']}/heartbeat", json=report)).status_code == 200
    found = (await plane.operator.get("/_debug/edges", params={"node": "edge-1"})).json()
    assert (found["verdict"], found["edges"][0]["applied_event_id"]) == ("refusing", 3)
    assert (await plane.operator.get("/_debug/edges", params={"node": "agent-1"})).status_code == 404
    assert (await owner.get("/_debug/edges")).status_code == 403
