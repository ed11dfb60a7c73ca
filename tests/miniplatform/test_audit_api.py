"""``GET …/audit``, ``GET /v1/retention`` and ``POST /v1/event-log/discard`` over a real database."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from miniplatform.store.migrate import ROLE
from tests.miniplatform.platform_in_process import InProcess, deployed
from tests.miniplatform.test_recording import EMERGENCY, break_trail, records


async def audit(client: Any, org: str, **parameters: Any) -> list[dict[str, Any]]:
    """The entries of an org's audit."""
    answer = await client.get(f"/v1/orgs/{org}/audit", params=parameters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_audit_is_one_timeline_of_accesses_and_changes(plane: InProcess) -> None:
    """Who changed what and who read what stand in the order they happened, the reading of the audit included."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    await client.get("/v1/orgs/globex/apps")
    items = await audit(client, "acme", limit=200)
    assert [item["timestamp"] for item in items] == sorted(item["timestamp"] for item in items)
    assert [(item["kind"], item["action"], item["decision"]) for item in items][-2:] == [
        ("access", "GET /v1/orgs/{org}/apps", "deny"), ("access", "audit.query", "allow"),
    ]  # fmt: skip
    changes = [item["action"] for item in items if item["kind"] == "change"]
    assert changes[:3] == ["org.created", "app.created", "env.created"]
    again = await audit(client, "acme", limit=200)
    before = next(item for item in again if item["action"] == "audit.query")
    assert (before["result"], before["lines"], before["closed_at"] > before["timestamp"]) == ("ok", len(items), True)
    assert {item["resource_id"] for item in again} >= {ids["app_id"], ids["env_id"], ids["deploy_id"]}


async def test_filters_narrow_both_kinds(plane: InProcess) -> None:
    """App, env and route select accesses by what was asked for, and changes by what they concern; a window cuts both."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    route = {"hostname": "a.example", "listener_port": 9001, "process_type": "web"}
    rt = (await client.post(f"{ids['env']}/routes", json=route)).json()["route_id"]
    await plane.operator.get(f"{ids['env']}/describe", headers=EMERGENCY)
    await plane.operator.get(f"{ids['env']}/routes/{rt}/describe", headers=EMERGENCY)
    of_env = await audit(client, "acme", env_id=ids["env_id"])
    assert {item["env_id"] for item in of_env} == {ids["env_id"]}
    assert {item["kind"] for item in of_env} == {"access", "change"}
    of_route = await audit(client, "acme", route_id=rt)
    assert [item["action"] for item in of_route] == [
        "route.created", "GET /v1/orgs/{org}/apps/{app}/envs/{env}/routes/{route}/describe", "audit.query",
    ]  # fmt: skip
    described = of_route[1]
    assert (described["emergency_reason"], described["actor_id"]) == (EMERGENCY["X-Emergency-Reason"], "operator")
    assert await audit(client, "acme", until="2020-01-01T00:00:00Z") == []
    answer = (await client.get("/v1/orgs/acme/audit?limit=2")).json()
    assert (len(answer["items"]), answer["is_cut"]) == (2, True)


async def test_the_audit_needs_its_scope_and_stays_in_its_org(plane: InProcess) -> None:
    """A reader without audit:read is told so, everybody else's org is missing, an operator needs an emergency."""
    one, two = await plane.org("acme"), await plane.org("globex")
    reader = await plane.org("acme", role="developer")
    assert (await reader.get("/v1/orgs/acme/audit")).status_code == 403
    foreign, missing = await one.get("/v1/orgs/globex/audit"), await one.get("/v1/orgs/nowhere/audit")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"]
    assert (await plane.operator.get("/v1/orgs/acme/audit")).status_code == 404
    assert (await plane.operator.get("/v1/orgs/acme/audit", headers=EMERGENCY)).status_code == 200
    mine = {item.get("subject_org_id") for item in await audit(two, "globex") if item["kind"] == "access"}
    assert len(mine) == 1


async def test_an_org_can_check_that_its_trail_is_whole(plane: InProcess, migrated_url: str) -> None:
    """The answer counts the records and gives the head to note; a changed record is named by its place."""
    client = await plane.org("acme")
    await client.get("/v1/orgs/globex/apps")
    whole = (await client.get("/v1/orgs/acme/audit/verify")).json()
    assert (whole["is_whole"], whole["breach"], whole["records"]) == (True, None, 4)
    again = (await client.get("/v1/orgs/acme/audit/verify", params={"head": whole["head"]})).json()
    assert (again["is_whole"], again["records"]) == (True, 6)
    assert (await client.get("/v1/orgs/acme/audit/verify?head=x")).status_code == 400
    with psycopg.connect(migrated_url, autocommit=True) as superuser:
        superuser.execute("DROP TRIGGER audit_records_append_only ON audit_records")
        superuser.execute('UPDATE audit_records SET record = record || \'{"reason": ""}\' WHERE seq = 3')
    broken = (await client.get("/v1/orgs/acme/audit/verify")).json()
    assert (broken["is_whole"], broken["breach"]) == (False, {"seq": 3, "kind": "changed"})


async def test_with_a_broken_trail_the_audit_cannot_be_read(plane: InProcess, migrated_url: str) -> None:
    """Reading the audit is an access like any other: no record, no answer."""
    client = await plane.org("acme")
    break_trail(migrated_url)
    answer = await client.get("/v1/orgs/acme/audit")
    assert answer.status_code == 503
    assert "acme" not in answer.json()["detail"]
    with psycopg.connect(migrated_url, autocommit=True) as superuser:
        superuser.execute(f"GRANT INSERT ON audit_records TO {ROLE}")
    assert (await client.get("/v1/orgs/acme/audit")).status_code == 200


@pytest.mark.parametrize(
    ("query", "told"),
    [("env=prod", "unknown parameter 'env'"), ("env_id=x", "malformed id"), ("limit=0", "limit is '0'"), ("since=x", "since")],
)  # fmt: skip
async def test_what_is_not_understood_is_refused(plane: InProcess, query: str, told: str) -> None:
    """An unfiltered answer would be taken for a filtered one."""
    client = await plane.org("acme")
    answer = await client.get(f"/v1/orgs/acme/audit?{query}")
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


async def test_everybody_may_know_how_long_records_are_kept(plane: InProcess) -> None:
    """A tenant sees key, value and the file's name, an operator the whole path; RET-07."""
    tenant, operator = await plane.org("acme"), plane.operator
    items = (await tenant.get("/v1/retention")).json()["items"]
    assert {"key": "retention.workload_logs", "value": "7d", "source": "retention.toml"} in items
    assert (await operator.get("/v1/retention")).json()["items"][0]["source"].endswith("/retention.toml")


async def test_the_event_log_is_not_discarded_and_the_answer_says_why(plane: InProcess) -> None:
    """Only an operator is answered at all; each attempt is 412 with its reason, on record, and changes nothing."""
    tenant = await plane.org("acme")
    before = await plane.database.rows("event_read", "SELECT event_id FROM events")
    assert (await tenant.post("/v1/event-log/discard", json={})).status_code == 403
    for body, told in (
        ({}, "the request names no policy_id"),
        ({"policy_id": "RP-7"}, "the request names no adr"),
        ({"policy_id": "RP-7", "adr": "ADR-31"}, "retention.audit_events is 'permanent'"),
    ):
        answer = await plane.operator.post("/v1/event-log/discard", json=body)
        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert told in answer.json()["detail"]
    assert (await plane.operator.post("/v1/event-log/discard", json={"policy_id": "*"})).status_code == 400
    kept = [r["reason"] for r in await records(plane) if r["action"] == "event_log.discard"]
    assert kept == ["no_policy_id", "no_adr", "permanent"]
    assert await plane.database.rows("event_read", "SELECT event_id FROM events") == before
    assert plane.obs.sample("event_log_discard_refusals_total") == 3
