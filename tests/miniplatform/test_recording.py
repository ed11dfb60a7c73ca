"""What requests leave on record, and what happens when no record can be kept."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from miniplatform.store.migrate import ROLE
from tests.miniplatform.event_stream import EventStream
from tests.miniplatform.platform_in_process import InProcess, deployed

IN_AN_HOUR = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
EMERGENCY = {"X-Emergency-Reason": "INC-7: customer cannot log in", "X-Emergency-Until": IN_AN_HOUR}


async def records(plane: InProcess, org_id: str = "platform") -> list[dict[str, Any]]:
    """The audit records of one chain, oldest first."""
    query = "SELECT record FROM audit_records WHERE org_id = %(org)s ORDER BY seq"
    return [row["record"] for row in await plane.database.rows("log_read", query, {"org": org_id})]


def break_trail(url: str) -> None:
    """Take the right to write audit records from the control plane's role."""
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(f"REVOKE INSERT ON audit_records FROM {ROLE}")


async def test_an_event_stream_is_on_record_from_its_opening_to_its_end(plane: InProcess) -> None:
    """The record says who follows what, from where, and how many events it gave."""
    client = await plane.org("acme")
    ids, org = await deployed(client, "acme"), await org_of(client)
    query = f"after_event_id=0&env_id={ids['env_id']}&poll_ms=100"
    async with EventStream(plane.app, "/v1/orgs/acme/events/stream", query, client) as stream:
        first = await stream.line()
        opened = (await records(plane, org))[-1]
    assert first["env_id"] == ids["env_id"]
    assert (opened["phase"], opened["action"], opened["scope"]) == ("open", "events.stream", "events:read")
    assert opened["selectors"] == {"after_event_id": "0", "env_id": ids["env_id"]}
    assert len(opened["trace_id"]) == 32
    closed = await _last(plane, org, "close")
    assert (closed["opened_by"], closed["result"], closed["lines"] > 0) == (opened["event_id"], "ok", True)


async def test_a_refusal_is_on_record_and_looks_like_what_is_missing(plane: InProcess) -> None:
    """Foreign and missing answer alike, and both are in the asker's own chain; the other org's holds nothing."""
    one, two = await plane.org("acme"), await plane.org("globex")
    theirs = await deployed(two, "globex")
    foreign, missing = await one.get(f"{theirs['env']}/describe"), await one.get("/v1/orgs/nowhere/apps/web/envs/prod/describe")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["detail"] == missing.json()["detail"]
    refused = [r for r in await records(plane, await org_of(one)) if r["decision"] == "deny"]
    assert [(r["action"], r["reason"], r["resource_id"]) for r in refused] == [
        ("GET /v1/orgs/{org}/apps/{app}/envs/{env}/describe", "foreign_org", "globex"),
        ("GET /v1/orgs/{org}/apps/{app}/envs/{env}/describe", "foreign_org", "nowhere"),
    ]
    assert {(r["action"], r["decision"]) for r in await records(plane, await org_of(two))} == {("tokens.issue", "allow")}


async def test_an_operator_sees_a_tenant_only_in_a_declared_emergency(plane: InProcess) -> None:
    """Without the headers the org does not exist; with them both chains tell who, why and until when."""
    client = await plane.org("acme")
    ids, org = await deployed(client, "acme"), await org_of(client)
    path = f"{ids['env']}/describe"
    assert (await plane.operator.get(path)).status_code == 404
    answer = await plane.operator.get(path, headers=EMERGENCY)
    assert (answer.status_code, answer.json()["id"]) == (200, ids["env_id"])
    for chain in ("platform", org):
        opened, closed = (await records(plane, chain))[-2:]
        assert (opened["reason"], opened["emergency_reason"]) == ("emergency", EMERGENCY["X-Emergency-Reason"])
        assert (opened["actor_id"], opened["subject_org_id"]) == ("operator", org)
        assert (opened["selectors"], closed["phase"]) == ({"app_id": ids["app_id"], "env_id": ids["env_id"]}, "close")
    assert (await plane.operator.post(f"{ids['env']}/scale", headers=EMERGENCY)).status_code in (404, 405)
    assert (await plane.operator.put(f"{ids['env']}/scale", headers=EMERGENCY, json={"web": 0})).status_code == 404


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({**EMERGENCY, "X-Emergency-Reason": "x"}, "the reason of an emergency access has 1 characters"),
        ({**EMERGENCY, "X-Emergency-Until": "soon"}, "X-Emergency-Until is 'soon'; it must be a time such as"),
        ({"X-Emergency-Reason": "INC-7: cannot log in"}, "X-Emergency-Until is ''; it must be a time such as"),
        ({**EMERGENCY, "X-Emergency-Until": "2020-01-01T00:00:00Z"}, "an emergency access must end within 4 hours from now"),
    ],
)
async def test_a_poor_declaration_is_refused(plane: InProcess, headers: dict[str, str], told: str) -> None:
    """It says what it needs; from a tenant the same headers change nothing at all."""
    answer = await plane.operator.get("/v1/orgs/acme/apps", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)
    tenant = await plane.org("acme")
    assert (await tenant.get("/v1/orgs/acme/apps", headers=headers)).status_code == 200
    assert (await tenant.get("/v1/orgs/globex/apps", headers=headers)).status_code == 404


async def test_without_a_trail_nothing_audited_is_answered(plane: InProcess, migrated_url: str) -> None:
    """Streams, emergencies, an operator's describe and new tokens are 503; what needs no record goes on."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    break_trail(migrated_url)
    assert (await plane.operator.post("/v1/orgs/acme/tokens", json={"role": "owner"})).status_code == 503
    for asker, path, headers in (
        (client, "/v1/orgs/acme/events/stream", {}),
        (plane.operator, f"{ids['env']}/describe", EMERGENCY),
        (plane.operator, "/_debug/convergence", {}),
        (client, "/v1/orgs/acme/audit", {}),
    ):
        answer = await asker.get(path, headers=headers)
        assert answer.status_code == 503, path
        assert (
            answer.json()["detail"] == "the access could not be put on record, so nothing was read or done; try again shortly"
        )
        assert answer.json()["retryable"] is True
    assert plane.obs.sample("audit_refused_reads_total", reason="write_failed") == 5
    assert (await client.get(f"{ids['env']}/describe")).status_code == 200
    assert (await client.get("/v1/orgs/globex/apps")).status_code == 404


async def test_who_lets_whom_in_is_on_record_in_both_orgs(plane: InProcess) -> None:
    """An operator cannot make itself a tenant's token unseen, and cannot make one at all while the trail is broken."""
    client = await plane.org("acme", role="readonly")
    for chain in ("platform", await org_of(client)):
        opened, closed = (await records(plane, chain))[:2]
        assert (opened["action"], opened["actor_id"], opened["selectors"]) == ("tokens.issue", "operator", {"role": "readonly"})
        assert (opened["reason"], closed["result"]) == ("platform_scope", "ok")


async def test_the_trail_only_grows(plane: InProcess) -> None:
    """UPDATE, DELETE and TRUNCATE of audit records and events fail for the application's own role."""
    await (await plane.org("acme")).get("/v1/orgs/globex/apps")
    for table in ("audit_records", "events"):
        for change in (f"UPDATE {table} SET org_id = ''", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await plane.database.rows("log_write", change)


async def org_of(client: httpx.AsyncClient) -> str:
    """The id of the client's own org."""
    return str((await client.get("/v1/whoami")).json()["org_id"])


async def _last(plane: InProcess, org_id: str, phase: str) -> dict[str, Any]:
    """The newest record, once it is of this phase."""
    async with asyncio.timeout(10):
        while (found := (await records(plane, org_id))[-1])["phase"] != phase:
            await asyncio.sleep(0.01)
    return found
