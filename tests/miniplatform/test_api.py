"""The control plane's API over a real database: commands, isolation, idempotency, refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from obslib.ids import is_id
from tests.miniplatform.platform_in_process import MANIFEST, InProcess, deployed

pytestmark = pytest.mark.slow


async def test_a_write_is_in_the_views_when_it_answers(plane: InProcess) -> None:
    """Each answer names what was made, and the next read finds it."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    assert is_id(ids["deploy_id"], "dep")
    found = (await client.get(f"{ids['env']}/deploys/{ids['deploy_id']}")).json()
    assert (found["status"], found["release_id"]) == ("queued", ids["release_id"])
    status = (await client.get(f"{ids['env']}/status")).json()
    assert status["releases"] == {"web": ids["release_id"]}
    assert (await client.put(f"{ids['env']}/scale", json={"web": 3})).status_code == 201
    described = (await client.get(f"{ids['env']}/describe")).json()
    assert [(group["process_type"], group["replicas"]) for group in described["desired"]] == [("web", 3)]


async def test_a_deploy_is_one_transaction_of_three_events(plane: InProcess) -> None:
    """Deploy, desired release and first scale stand next to each other, share request and deploy, and one trace."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    items = (await client.get("/v1/orgs/acme/events")).json()["items"][-3:]
    assert [item["event_type"] for item in items] == ["deploy.created", "env.desired_release_set", "env.scale_set"]
    assert plane.obs.sample("release_create_total", result="success") == 1
    assert {item["correlation_id"] for item in items} == {ids["deploy_id"]}
    assert {item["request_id"] for item in items} == {ids["request_id"]}
    assert len({item["traceparent"] for item in items}) == 1
    assert items[2]["payload"] == {"process_type": "web", "replicas": 2}


async def test_two_orgs_with_the_same_names_never_meet(plane: InProcess) -> None:
    """Neither can read, list, deploy, route or stream what is the other's, and missing looks the same as foreign."""
    one, two = await plane.org("acme"), await plane.org("globex")
    mine, theirs = await deployed(one, "acme"), await deployed(two, "globex")
    route = {"hostname": "a.example", "listener_port": 9001, "process_type": "web"}
    rt = (await two.post(f"{theirs['env']}/routes", json=route)).json()["route_id"]
    for path in (
        "/v1/orgs/globex/apps", f"/v1/orgs/{theirs['app_id']}/apps", f"{theirs['env']}/describe", f"{theirs['env']}/status",
        "/v1/orgs/globex/events", "/v1/orgs/globex/events/stream", f"/v1/orgs/acme/apps/{theirs['app_id']}/envs",
        f"/v1/orgs/acme/apps/web/envs/{theirs['env_id']}/describe", f"{mine['env']}/routes/{rt}",
        f"{mine['env']}/routes/{rt}/describe", f"{mine['env']}/deploys/{theirs['deploy_id']}",
    ):  # fmt: skip
        assert (await one.get(path)).status_code == 404, path
    refused = await one.post(f"{mine['env']}/deploys", json={"release_id": theirs["release_id"]})
    assert refused.status_code == 404
    assert (await one.delete(f"{mine['env']}/routes/{rt}")).status_code == 404
    assert [app["app_id"] for app in (await one.get("/v1/orgs/acme/apps")).json()["items"]] == [mine["app_id"]]
    events = (await one.get("/v1/orgs/acme/events?limit=200")).json()["items"]
    assert {event["org_id"] for event in events} == {events[0]["aggregate_id"]}
    assert (await one.get(f"/v1/orgs/acme/events?env_id={theirs['env_id']}")).json()["items"] == []
    foreign, missing = await one.get("/v1/orgs/globex/apps"), await one.get("/v1/orgs/nowhere/apps")
    assert told(foreign.json(), "globex") == told(missing.json(), "nowhere")


def told(problem: dict[str, Any], named: str) -> dict[str, Any]:
    """A problem without the request's own id and without the name that was asked for."""
    return {key: str(value).replace(named, "ORG") for key, value in problem.items() if key != "request_id"}


async def test_a_scope_that_is_missing_is_named_before_anything_is_looked_up(plane: InProcess) -> None:
    """In one's own org the refusal is 403, the same for what exists and for what does not."""
    await deployed(await plane.org("acme"), "acme")
    reader = await plane.org("acme", role="readonly")
    answers = [await reader.post(f"/v1/orgs/acme/apps/{app}/envs", json={"name": "qa"}) for app in ("web", "nowhere")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert (await reader.post("/v1/orgs", json={"name": "mine"})).status_code == 403
    assert (await reader.get("/_debug/projections")).status_code == 403
    assert (await plane.client("mpt_unknown").get("/v1/whoami")).status_code == 401


async def test_the_same_command_sent_again_is_answered_from_its_first_reply(plane: InProcess) -> None:
    """One event, one answer, however often and however concurrently it is sent; another body is a conflict."""
    client = await plane.org("acme")
    key = {"Idempotency-Key": "deploy-42-attempt"}
    answers = await asyncio.gather(*(client.post("/v1/orgs/acme/apps", json={"name": "web"}, headers=key) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.text for answer in answers}) == 1
    events = (await client.get("/v1/orgs/acme/events?event_type=app.created")).json()["items"]
    assert len(events) == 1
    other = await client.post("/v1/orgs/acme/apps", json={"name": "api"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reuse")
    assert plane.obs.sample("idempotency_conflicts_total") == 1.0
    assert plane.obs.sample("idempotency_hits_total") == 4.0
    assert (
        await client.post("/v1/orgs/acme/apps", json={"name": "b"}, headers={"Idempotency-Key": "short"})
    ).status_code == 400


async def test_an_org_that_has_its_fill_gets_no_more(plane: InProcess) -> None:
    """409 with the quota, its limit and what is held, counted; what is deleted makes room, and others are not concerned."""
    plane.quotas.update(max_apps=2, max_envs=1, max_routes=1)
    client = await plane.org("acme")
    env = (await deployed(client, "acme"))["env"]
    route = {"hostname": "a.example", "listener_port": 9001, "process_type": "web"}
    made = await client.post(f"{env}/routes", json=route)
    assert (await client.post("/v1/orgs/acme/apps", json={"name": "second"})).status_code == 201
    for path, body, dimension in (
        ("/v1/orgs/acme/apps", {"name": "third"}, "max_apps"),
        ("/v1/orgs/acme/apps/web/envs", {"name": "staging"}, "max_envs"),
        (f"{env}/routes", {**route, "hostname": "b.example"}, "max_routes"),
    ):
        refused = await client.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "quota_exceeded")
        told = {detail["field"]: detail["message"] for detail in refused.json()["details"]}
        assert (told["dimension"], told["requested_delta"]) == (dimension, "1")
        assert told["limit"] == told["current_usage"]
        assert plane.obs.sample("quota_rejections_total", reason=dimension) == 1
    assert (await client.delete(f"{env}/routes/{made.json()['route_id']}")).status_code == 201
    assert (await client.post(f"{env}/routes", json={**route, "hostname": "b.example"})).status_code == 201
    assert (await (await plane.org("globex")).post("/v1/orgs/globex/apps", json={"name": "web"})).status_code == 201


async def test_a_name_is_given_to_one_of_those_who_want_it_at_once(plane: InProcess) -> None:
    """The views may lag; the names do not."""
    client = await plane.org("acme")
    answers = await asyncio.gather(*(client.post("/v1/orgs/acme/apps", json={"name": "web"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert plane.obs.sample("event_append_total", result="conflict") == 3.0
    assert plane.obs.sample("event_append_total", result="failure") == 0.0


async def test_a_route_can_be_taken_back_and_given_again(plane: InProcess) -> None:
    """A raw port leads to one route; once that is deleted it is free, and deleting twice finds nothing."""
    client = await plane.org("acme")
    env = (await deployed(client, "acme"))["env"]
    wanted = {"hostname": "web.example", "listener_port": 9000, "process_type": "web"}
    route = (await client.post(f"{env}/routes", json=wanted)).json()
    taken = await client.post(f"{env}/routes", json={**wanted, "hostname": "other.example"})
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    assert (await client.delete(f"{env}/routes/{route['route_id']}")).status_code == 201
    assert (await client.delete(f"{env}/routes/{route['route_id']}")).status_code == 404
    assert (await client.post(f"{env}/routes", json=wanted)).status_code == 201
    assert len((await client.get(f"{env}/routes")).json()["items"]) == 1


async def test_views_that_do_not_follow_are_told_in_time(plane: InProcess) -> None:
    """A write whose view is late is 504, says that it is accepted, and is there once the projector is back."""
    client = await plane.org("acme")
    plane.is_projecting = False
    late = await client.post("/v1/orgs/acme/apps", json={"name": "web"})
    assert (late.status_code, late.json()["retryable"]) == (504, False)
    assert late.json()["detail"].startswith("accepted as event ")
    assert len(plane.obs.events("projection.wait_timed_out")) == 1
    plane.is_projecting = True
    assert (await client.post("/v1/orgs/acme/apps", json={"name": "api"})).status_code == 201
    assert [app["name"] for app in (await client.get("/v1/orgs/acme/apps")).json()["items"]] == ["web", "api"]


REFUSED: tuple[tuple[str, str, bytes, int], ...] = (
    ("GET", "/nowhere", b"", 404),
    ("PUT", "/v1/orgs", b"{}", 405),
    ("POST", "/v1/orgs", b"{", 400),
    ("POST", "/v1/orgs", b"[]", 400),
    ("POST", "/v1/orgs", b"\xff\xfe", 400),
    ("POST", "/v1/orgs", b'{"name": "UPPER"}', 400),
    ("POST", "/v1/orgs", b'{"name": "a\\u0000b"}', 400),
    ("POST", "/v1/orgs", b"[" * 100_000, 400),
    ("POST", "/v1/orgs", b'"' + b"x" * 1_048_576 + b'"', 413),
    ("GET", "/v1/orgs/org_malformed/apps", b"", 400),
    ("GET", "/v1/orgs/%00/apps", b"", 400),
    ("GET", "/v1/orgs/acme%2Fglobex/apps", b"", 400),
    ("GET", "/v1/orgs/acme%2fapps", b"", 400),
    ("GET", "/nowhere%2Fat/all", b"", 400),
    ("GET", "/v1/orgs/acme/events?limit=0", b"", 404),
    ("POST", "/v1/nodes", b'{"name": "n", "kind": "agent", "address": "\\u0000"}', 400),
    ("POST", "/v1/nodes", b'{"name": "n", "kind": "agent", "address": "\\ud800"}', 400),
    ("POST", "/v1/nodes", b'{"name": "n", "kind": "toaster", "address": "a"}', 400),
)


async def test_every_refusal_is_problem_details(plane: InProcess) -> None:
    """Whatever is wrong, the answer is one shape and carries the request's id."""
    for method, path, content, status in REFUSED:
        answer = await plane.operator.request(method, path, content=content, headers={"X-Request-Id": "mine-1"})
        assert answer.status_code == status, (method, path, content[:20], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-1"
        assert answer.json()["status"] == status


async def test_lists_come_in_pages(plane: InProcess) -> None:
    """Following next_cursor gives every item once; limits outside 1 to 200 are refused."""
    client = await plane.org("acme")
    for name in ("a", "b", "c"):
        await client.post("/v1/orgs/acme/apps", json={"name": name})
    seen, cursor = [], ""
    while True:
        page = (await client.get("/v1/orgs/acme/apps", params={"limit": 2, "cursor": cursor})).json()
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]
    assert seen == ["a", "b", "c"]
    for limit in ("0", "201", "x", "-1", "1e3"):
        assert (await client.get("/v1/orgs/acme/apps", params={"limit": limit})).status_code == 400


async def test_events_are_found_by_what_they_are_about(plane: InProcess) -> None:
    """By type, app, env, route and time, from any point on."""
    client = await plane.org("acme")
    ids = await deployed(client, "acme")
    route = (
        await client.post(f"{ids['env']}/routes", json={"hostname": "w.example", "listener_port": 9002, "process_type": "web"})
    ).json()

    async def types(**parameters: str) -> list[str]:
        reply = (await client.get("/v1/orgs/acme/events", params=parameters)).json()
        return [item["event_type"] for item in reply["items"]]

    assert await types(route_id=route["route_id"]) == ["route.created"]
    assert await types(instance_id="inst_01ARZ3NDEKTSV4RRFFQ69G5FAV") == []
    assert await types(route_id="inst_01ARZ3NDEKTSV4RRFFQ69G5FAV") == []
    assert await types(env_id=ids["env_id"], limit="2") == ["env.created", "deploy.created"]
    assert await types(after_event_id=str(route["event_id"] - 1)) == ["route.created"]
    assert await types(until="2020-01-01T00:00:00Z") == []
    assert len(await types(since="2020-01-01T00:00:00Z", app_id=ids["app_id"])) == 7
    assert (await client.get("/v1/orgs/acme/events", params={"since": "yesterday"})).status_code == 400


async def test_no_answer_holds_a_token_but_the_one_that_issues_it(plane: InProcess) -> None:
    """Tokens are shown once and written to no log line."""
    client = await plane.org("acme")
    await deployed(client, "acme")
    token = client.headers["authorization"].partition(" ")[2]
    for path in ("/v1/whoami", "/v1/orgs/acme/events", "/v1/orgs/acme/apps", "/v1/orgs/acme/apps/web/envs/prod/describe"):
        assert token not in (await client.get(path)).text
    assert token not in repr(plane.obs.lines())


async def test_every_token_asked_for_is_counted_by_its_holder(plane: InProcess) -> None:
    """One for a service, one for a user, two for a node; a scope that nobody may hand out is the caller's mistake (EXT-10)."""
    await plane.org("acme")
    for body in ({"role": "owner", "actor_id": "usr_1"}, {"scopes": ["nodes:admin"]}):
        await plane.operator.post("/v1/orgs/acme/tokens", json=body)
    for _ in range(2):
        await plane.node("agent-1")
    await plane.operator.post("/v1/nodes", json={"name": "agent-1", "kind": "edge", "address": "a"})
    minted = {
        (kind, result): plane.obs.sample("auth_token_mints_total", kind=kind, result=result)
        for kind in ("user", "service_principal", "node")
        for result in ("success", "rejected", "failure")
    }
    assert {key: count for key, count in minted.items() if count} == {
        ("service_principal", "success"): 1, ("service_principal", "rejected"): 1, ("user", "success"): 1,
        ("node", "success"): 2, ("node", "rejected"): 1,
    }  # fmt: skip


def manifest(**process: Any) -> dict[str, Any]:
    """The body of a release whose one process type is changed so."""
    return {"manifest": {**MANIFEST, "process": {"web": {**MANIFEST["process"]["web"], **process}}}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2hunter2"),
        ("DATABASE_URL", "postgres://app:hunter2hunter2@db/app"),
        ("UPSTREAM", "https://app:hunter2hunter2@api.example/"),
        ("GREETING", "Bearer hunter2hunter2hunter2"),
    ],
)
async def test_a_secret_in_a_manifest_never_reaches_the_log(plane: InProcess, name: str, value: str) -> None:
    """The release is refused by the variable's name, and neither an event, the answer nor a line holds the value."""
    client = await plane.org("acme")
    await deployed(client, "acme")
    answer = await client.post("/v1/orgs/acme/apps/web/releases", json=manifest(env={"FINE": "yes", name: value}))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    assert answer.json()["detail"].startswith(
        f"secrets do not belong into a manifest; process.web.env.{name} looks like one: a release stays in the event log"
    )
    rows = await plane.database.rows("event_read", "SELECT payload::text AS payload FROM events")
    assert "hunter2" not in repr(rows) + answer.text + repr(plane.obs.lines())


async def test_a_secret_in_a_manifest_without_the_check_is_noticed_mutant(
    plane: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nobody looking, the value would be in the log for good."""
    monkeypatch.setattr("miniplatform.control_plane.deploys.secrets_in", lambda manifest: [])
    client = await plane.org("acme")
    await deployed(client, "acme")
    body = manifest(env={"DB_PASSWORD": "hunter2hunter2"})
    assert (await client.post("/v1/orgs/acme/apps/web/releases", json=body)).status_code == 201
    rows = await plane.database.rows("event_read", "SELECT payload::text AS payload FROM events")
    assert "hunter2" in repr(rows)


@pytest.mark.parametrize(
    ("process", "named"),
    [
        ({"memory_bytes": 2**40 + 1}, "manifest.process.web.memory_bytes"),
        ({"env": {"1ST": "x"}}, "manifest.process.web.env.1ST"),
        ({"env": {"A-B": "x"}}, "manifest.process.web.env.A-B"),
        ({"env": {"A": "x\0y"}}, "manifest.process.web.env.A"),
        ({"command": ["python", "a\0b"]}, "manifest.process.web.command.1"),
        ({"health": {"type": "http", "path": "/\0"}}, "manifest.process.web.health.path"),
        ({"env": {"A\0": "x"}}, "manifest.process.web.env"),
    ],
)
async def test_what_no_process_could_be_given_is_refused_by_name(plane: InProcess, process: dict[str, Any], named: str) -> None:
    """Over 1 TiB, a variable no shell would take, a NUL anywhere: 400, and the field is named."""
    client = await plane.org("acme")
    await client.post("/v1/orgs/acme/apps", json={"name": "web"})
    answer = await client.post("/v1/orgs/acme/apps/web/releases", json=manifest(**process))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    assert named in answer.text


@pytest.mark.parametrize("endpoint", ["events", "events/stream"])
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"env": "prod"}, "unknown parameter 'env'"),
        ({"env_id": "prod"}, "env_id is 'prod'"),
        ({"app_id": "env_01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "app_id is 'env_"),
        ({"route_id": "rt_1"}, "route_id is 'rt_1'"),
        ({"instance_id": "inst_"}, "instance_id is 'inst_'"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "since (2026-01-02T00:00:00Z) is after until"),
    ],
)
async def test_a_selection_of_events_that_cannot_be_meant_is_refused(
    plane: InProcess, endpoint: str, parameters: dict[str, str], named: str
) -> None:
    """Rather than answered with other events than those that were asked for."""
    client = await plane.org("acme")
    answer = await client.get(f"/v1/orgs/acme/{endpoint}", params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_argument")
    assert answer.json()["detail"].startswith(named)


async def test_a_client_that_hangs_up_is_no_error_of_the_server(plane: InProcess) -> None:
    """A body that ends half-way counts as 4xx, and no line at error level is written."""
    client = await plane.org("acme")
    incoming = [
        {"type": "http.request", "body": b'{"name": ', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", client.headers["authorization"].encode())]
    scope = {
        "type": "http", "method": "POST", "path": "/v1/orgs/acme/apps", "query_string": b"", "headers": headers,
        "asgi": {"spec_version": "2.4"}, "http_version": "1.1", "scheme": "http", "server": ("api", 80), "root_path": "",
    }  # fmt: skip
    await plane.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert plane.obs.events("http.failed") == []
    assert [line for line in plane.obs.lines() if line["level"] == "error"] == []


async def test_an_encoded_slash_is_told_from_a_route_that_is_missing(plane: InProcess) -> None:
    """The answer speaks of the name, and a decoded slash never leads to another route."""
    client = await plane.org("acme")
    answer: httpx.Response = await client.get("/v1/orgs/acme%2Fapps")
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "the path holds an encoded slash (%2F); no id and no name has a slash",
    )
