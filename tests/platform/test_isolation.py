"""Two orgs with the same names are two worlds, through the API and the command line."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest

from miniplatform.launcher import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def neighbours(shared: Any) -> Any:
    """Orgs north and south, each with app web, env prod, one instance and one route."""
    tenants = []
    for org in ("north", "south"):
        tenant = shared.tenant(org)
        done = tenant.run("deploy", str(shared.manifest(_free_port(), replicas=1)))
        assert done.returncode == 0, done.stderr
        tenants.append(tenant)
    for tenant in tenants:
        wait_for("one ready instance", partial(_some_ready, tenant), deadline_s=40)
    return tenants


def test_each_org_sees_only_its_own(neighbours: Any) -> None:
    """Same app and env names, disjoint ids, and neither output holds an id of the other's."""
    north, south = neighbours
    ours, theirs = _ids(north), _ids(south)
    assert ours
    assert not ours & theirs
    for tenant, foreign in ((north, theirs), (south, ours)):
        for command in (
            ("describe", "env", "prod"),
            ("why", "env", "prod"),
            ("changes", "--instances"),
            ("events", "query", "--limit", "200"),
        ):
            done = tenant.run(*command, "--json")
            assert done.returncode == 0, done.stderr
            assert not [value for value in foreign if value in done.stdout]


def test_the_api_answers_foreign_and_missing_alike(neighbours: Any) -> None:
    """Every tenant path of the other org is 404 with the same body as an id that never existed."""
    north, south = neighbours
    theirs = _where(south)
    never = {key: value[:-6] + "000000" for key, value in theirs.items()}
    with north.http() as client:
        for method, template, body in PATHS:
            foreign = client.request(method, template.format(**theirs), json=body)
            missing = client.request(method, template.format(**never), json=body)
            assert foreign.status_code == missing.status_code == 404, (method, template, foreign.text)
            assert _shape(foreign) == _shape(missing), (method, template)
            assert "south" not in foreign.text


def test_a_foreign_id_inside_ones_own_path_is_missing_too(neighbours: Any) -> None:
    """Mixing one's own org with another's app, env, route or instance finds nothing."""
    north, south = neighbours
    ours, theirs = _where(north), _where(south)
    with north.http() as client:
        for key in ("app", "env", "route", "instance"):
            mixed = {**ours, key: theirs[key]}
            template = {
                "app": "/v1/orgs/{org}/apps/{app}/envs/{env}/describe",
                "env": "/v1/orgs/{org}/apps/{app}/envs/{env}/why",
                "route": "/v1/orgs/{org}/apps/{app}/envs/{env}/routes/{route}/describe",
                "instance": "/v1/orgs/{org}/apps/{app}/envs/{env}/instances/{instance}/describe",
            }[key]
            assert client.get(template.format(**mixed)).status_code == 404, key
            assert client.get(template.format(**ours)).status_code == 200, key


def test_the_other_org_is_unchanged_by_the_attempts(neighbours: Any) -> None:
    """Commands aimed at the other org by name exit 4 and change nothing there."""
    north, south = neighbours
    before = _ids(south), south.json("describe", "env", "prod")["desired"]
    for command in (("scale", "web=0"), ("describe", "env", "prod"), ("why", "env"), ("changes",), ("events", "query")):
        assert north.run(*command, "--org", "south").returncode == 4
    assert (_ids(south), south.json("describe", "env", "prod")["desired"]) == before


def test_events_never_carry_another_orgs_filter(neighbours: Any) -> None:
    """Filtering one's own events or changes by a foreign env or app id gives nothing, not the other's."""
    north, south = neighbours
    ours, theirs = _where(north), _where(south)
    with north.http() as client:
        for where, key in (("events", "items"), ("changes", "changes")):
            for parameter in ("env_id", "app_id"):
                foreign = {parameter: theirs[parameter.removesuffix("_id")]}
                reply = client.get(f"/v1/orgs/{ours['org']}/{where}", params=foreign)
                assert reply.status_code in (200, 404)
                assert reply.status_code == 404 or reply.json()[key] == []


def test_the_platforms_own_state_is_no_tenants(neighbours: Any) -> None:
    """Edges, consumers and projections carry everybody's ids: an owner of an org is refused, whatever is named."""
    north, _ = neighbours
    with north.http() as client:
        for what in ("edges", "edges?node=edge-1", "convergence", "consumers", "projections"):
            reply = client.get(f"/_debug/{what}")
            assert reply.status_code == 403, what
            assert "edge-1" not in reply.text


_ENV = "/v1/orgs/{org}/apps/{app}/envs/{env}"
PATHS = [
    ("GET", "/v1/orgs/{org}/apps", None),
    ("POST", "/v1/orgs/{org}/apps", {"name": "intruder"}),
    ("GET", "/v1/orgs/{org}/apps/{app}/envs", None),
    ("POST", "/v1/orgs/{org}/apps/{app}/envs", {"name": "intruder"}),
    ("POST", "/v1/orgs/{org}/apps/{app}/releases", {"manifest": {"name": "web", "process": {"web": {"command": ["true"]}}}}),
    ("GET", _ENV + "/status", None),
    ("GET", _ENV + "/describe", None),
    ("GET", _ENV + "/why", None),
    ("GET", _ENV + "/logs", None),
    ("GET", _ENV + "/logs?tail_lines=10&instance_id={instance}", None),
    ("GET", _ENV + "/logs/stream", None),
    ("GET", _ENV + "/logs/stream?tail_lines=10&after=0", None),
    ("GET", _ENV + "/instances", None),
    ("GET", _ENV + "/instances/{instance}", None),
    ("GET", _ENV + "/instances/{instance}/describe", None),
    ("GET", _ENV + "/routes", None),
    ("GET", _ENV + "/routes/{route}", None),
    ("GET", _ENV + "/routes/{route}/describe", None),
    ("DELETE", _ENV + "/routes/{route}", None),
    ("PUT", _ENV + "/scale", {"web": 0}),
    ("POST", _ENV + "/deploys", {"release_id": "rel_01J00000000000000000000000"}),
    ("GET", "/v1/orgs/{org}/events", None),
    ("GET", "/v1/orgs/{org}/events/stream", None),
    ("GET", "/v1/orgs/{org}/changes", None),
    ("GET", "/v1/orgs/{org}/audit", None),
    ("GET", "/v1/orgs/{org}/audit?env_id={env}", None),
    ("GET", "/v1/orgs/{org}/audit/verify", None),
    ("POST", "/v1/orgs/{org}/tokens", {"role": "owner"}),
]


def _shape(reply: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = reply.json()
    return {key: value for key, value in body.items() if key not in ("request_id", "instance")}


def _where(tenant: Any) -> dict[str, str]:
    env = tenant.json("describe", "env", "prod")
    return {
        "org": env["org_id"],
        "app": env["app_id"],
        "env": env["id"],
        "route": env["routing"][0]["route_id"],
        "instance": env["running"][0]["instance_id"],
    }


def _ids(tenant: Any) -> set[str]:
    return set(_where(tenant).values())


def _some_ready(tenant: Any) -> bool:
    return any(instance["state"] == "ready" for instance in _running(tenant))


def _running(tenant: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tenant.json("describe", "env", "prod")["running"]
    return found


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
