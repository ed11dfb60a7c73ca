"""``platform deploy``: what is missing is made, what is there is left, and it waits for the outcome."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obslib.cli.platform import rollout
from tests.cli.fake_control_plane import FakeControlPlane
from tests.debug.scenes import Scene

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll fast."""
    monkeypatch.setattr(rollout, "_EVERY_S", 0.01)


def test_a_first_deploy_makes_everything(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """App, release, deploy and route are made, in that order; the existing env is used; the answer names them all."""
    done = platform("deploy", str(manifest), "--json")
    assert done.code == 0, done
    assert plane.writes() == ["POST apps", "POST releases", "POST deploys", "POST routes"]
    found = done.json
    assert re.fullmatch("[0-9a-f]{32}", found.pop("trace_id"))
    assert found == {
        "app_id": plane.apps["web"],
        "env_id": plane.envs["prod"],
        "release_id": plane.desired[0]["release_id"],
        "deploy_id": plane.desired[0]["deploy_id"],
        "changed": True,
        "status": "succeeded",
        "verdict": "converged",
        "cause": "everything desired is running and served",
        "routes": [
            {
                "route_id": plane.routes[0]["route_id"],
                "hostname": "web.example",
                "listener_port": 8080,
                "process_type": "web",
                "protocol": "tcp_raw",
                "proxy_protocol": "off",
                "changed": True,
            }
        ],
    }
    assert "rolling, 2 of 2 ready" in done.err


def test_the_same_manifest_again_changes_nothing(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """The second run sends the release under the same key, finds it deployed, and says so."""
    first = platform("deploy", str(manifest), "--json").json
    plane.calls.clear()
    again = platform("deploy", str(manifest), "--json")
    assert plane.writes() == ["POST releases"]
    assert (again.json["changed"], again.json["deploy_id"]) == (False, first["deploy_id"])
    assert "nothing changed" in again.err
    forced = platform("deploy", str(manifest), "--json", "--force").json
    assert forced["changed"]
    assert forced["release_id"] == first["release_id"]
    assert forced["deploy_id"] != first["deploy_id"]


def test_a_changed_manifest_is_a_new_release(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """Other content is another release and another deploy."""
    first = platform("deploy", str(manifest), "--json").json
    manifest.write_text(manifest.read_text().replace("/healthz", "/well"))
    second = platform("deploy", str(manifest), "--json").json
    assert second["changed"]
    assert second["release_id"] != first["release_id"]


def test_a_route_bound_otherwise_is_replaced(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """A route of that host and port with another protocol is deleted and made again; foreign routes stay."""
    other = {"route_id": plane.mint("rt"), "hostname": "x.example", "listener_port": 1, "process_type": "web"}
    old = {"route_id": plane.mint("rt"), "hostname": "web.example", "listener_port": 8080, "process_type": "api"}
    plane.routes += [other, old]
    done = platform("deploy", str(manifest), "--json")
    assert [route["changed"] for route in done.json["routes"]] == [True]
    assert [(r["hostname"], r["process_type"]) for r in plane.routes] == [("x.example", "web"), ("web.example", "web")]


def test_one_command_is_one_trace(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """Every call carries the trace that is printed, its own span and request id, and a key if it writes."""
    done = platform("deploy", str(manifest), "--json")
    parents = [call.headers["traceparent"].split("-") for call in plane.calls]
    assert {parent[1] for parent in parents} == {done.json["trace_id"]}
    assert len({parent[2] for parent in parents}) == len(parents)
    ids = [call.headers["x-request-id"] for call in plane.calls]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("req_[0-7][0-9A-HJKMNP-TV-Z]{25}", request_id) for request_id in ids)
    keys = [call.headers.get("idempotency-key", "") for call in plane.calls if call.method != "GET"]
    assert all(8 <= len(key) <= 128 for key in keys)
    assert f"trace {done.json['trace_id']}" in done.err


def test_a_failed_deploy_exits_1_and_says_why(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """The reason, the env's own explanation and the next command."""
    plane.statuses = ["rolling", "failed"]
    done = platform("deploy", str(manifest))
    assert done.code == 1
    assert f"error: deploy {plane.desired[0]['deploy_id']} failed: why not - everything" in done.err
    assert "hint: platform " in done.err
    assert done.out == ""


def test_a_deploy_that_takes_too_long_is_transient(
    platform: Run, plane: FakeControlPlane, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 6, retryable: waiting again may be all it takes."""
    plane.statuses = ["rolling"]
    done = platform("deploy", str(manifest), "--timeout", "1", "--json")
    assert done.code == 6
    assert done.json["error"]["retryable"] is True
    assert done.json["error"]["details"]["resource"]["id"] == plane.desired[0]["deploy_id"]


def test_not_waiting_returns_at_once(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """``--no-wait`` never asks how the deploy is."""
    done = platform("deploy", str(manifest), "--no-wait", "--json")
    assert done.json["status"] == "accepted"
    assert not [call for call in plane.calls if "/deploys/" in call.path]


def test_flags_win_over_the_manifest_and_that_over_the_context(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """The env comes from --env, else from the manifest, else from the context; the app is the manifest's name."""
    plane.envs["test"] = plane.mint("env")
    found = platform("deploy", str(manifest), "--no-wait", "--env", "test", "--json").json
    assert (found["app_id"], found["env_id"]) == (plane.apps["web"], plane.envs["test"])
    manifest.write_text('env = "staging"\n' + manifest.read_text())
    found = platform("deploy", str(manifest), "--no-wait", "--json").json
    assert (found["app_id"], found["env_id"]) == (plane.apps["web"], plane.envs["staging"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = ", "is not valid TOML"),
        ('name = "x"', "is wrong at process: Field required"),
        ('name = "x"\n[process.Web]\ncommand = ["a"]', "is wrong at process.Web"),
        ('name = "x"\n[process.web]\ncommand = ["a"]\nreplica = 3', "is wrong at process.web.replica"),
        ('name = "x"\n[process.web]\ncommand = ["a"]\nreplicas = -1', "is wrong at process.web.replicas"),
    ],
)
def test_a_wrong_manifest_is_refused_before_anything_is_sent(
    platform: Run, plane: FakeControlPlane, manifest: Path, text: str, complaint: str
) -> None:
    """Exit 2 with the place of the first mistake."""
    manifest.write_text(text)
    done = platform("deploy", str(manifest))
    assert (done.code, plane.calls) == (2, [])
    assert complaint in " ".join(done.err.split())


PROCESS = 'name = "x"\n[process.web]\ncommand = ["a"]\n'
ROUTE = '[[route]]\nhostname = "a.example"\nlistener_port = 80\nprocess_type = "web"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (PROCESS + ROUTE + ROUTE, "is wrong at route.1: a.example:80 is bound twice"),
        (PROCESS + ROUTE + ROUTE.replace("a.ex", "b.ex"), "is wrong at route.1.listener_port: port 80 is bound twice"),
        (PROCESS + ROUTE.replace('"web"', '"api"'), "is wrong at route.0.process_type: the manifest has no process 'api'"),
        (PROCESS + ROUTE.replace("a.example", "A..b"), "is wrong at route.0.hostname: "),
        (PROCESS + "replicas = true", "is wrong at process.web.replicas: Input should be a valid integer"),
        (PROCESS + 'memory_bytes = "134217728"', "is wrong at process.web.memory_bytes: Input should be a valid integer"),
        (PROCESS + "replicas = 51", "is wrong at process.web.replicas: Input should be less than or equal to 50"),
        (PROCESS + "memory_bytes = 1048575", "is wrong at process.web.memory_bytes: "),
        (PROCESS + "memory_bytes = 1099511627777", "is wrong at process.web.memory_bytes: "),
        (PROCESS + '[process.web.env]\n"1-X" = "v"', "is wrong at process.web.env.1-X: '1-X' is no name of an environment"),
        (PROCESS + f'[process.web.env]\nX = "{"v" * 16_385}"', "is wrong at process.web.env.X: String should have at most"),
        (PROCESS + '[process.web.env]\nX = "v\\u0000"', "is wrong at process.web.env.X: it holds a NUL character"),
        (PROCESS.replace('"a"', '"a", "b\\u0000"'), "is wrong at process.web.command.1: it holds a NUL character"),
    ],
)
def test_what_the_server_would_refuse_later_is_refused_first(
    platform: Run, plane: FakeControlPlane, manifest: Path, text: str, complaint: str
) -> None:
    """A manifest is checked whole on the client: exit 2 with the field's name, and nothing has been made."""
    manifest.write_text(text)
    done = platform("deploy", str(manifest))
    assert (done.code, plane.calls) == (2, [])
    assert complaint in " ".join(done.err.split())


def test_the_limits_themselves_are_allowed(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """50 replicas, 1 TiB, an underscore and two TLS routes on a port are all right."""
    tls = ROUTE + 'protocol = "tls_passthrough"\n'
    limits = PROCESS + "replicas = 50\nmemory_bytes = 1099511627776\n[process.web.env]\n_X1 = ''\n"
    manifest.write_text(limits + tls + tls.replace("a.ex", "b.ex"))
    assert platform("deploy", str(manifest), "--no-wait").code == 0


def test_a_refused_route_says_that_the_deploy_runs(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """The error names the deploy that is live and the route that is not, and keeps the server's reason and code."""
    plane.apps["web"] = plane.mint("app")
    where = f"POST /v1/orgs/acme/apps/{plane.apps['web']}/envs/{plane.envs['prod']}/routes"
    plane.problems[where] = (409, {"detail": "the port is taken", "code": "conflict"})
    done = platform("deploy", str(manifest), "--json")
    deploy_id = plane.desired[0]["deploy_id"]
    assert done.code == 5
    assert done.json["error"]["message"] == f"deploy {deploy_id} runs, but route web.example:8080 is missing: the port is taken"
    assert done.json["error"]["details"]["fields"]["deploy_id"] == deploy_id


def _without_the_route() -> Any:
    edge = Scene.edge()
    assert edge.edge is not None
    behind = edge.model_copy(update={"edge": edge.edge.model_copy(update={"routes": {}})})
    return Scene.served(nodes={Scene.agent_id: Scene.agent(), Scene.edge_id: behind})


def test_a_deploy_has_not_succeeded_before_the_edge_serves_it(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """While a view does not show the route, or an edge has not applied it, the command goes on waiting and says why."""
    plane.unserved = [None, _without_the_route(), _without_the_route()]
    done = platform("deploy", str(manifest))
    assert (done.code, plane.unserved) == (0, [])
    assert re.match(r"deploy dep_\w+ succeeded\n", done.out)
    said = " ".join(done.err.split())
    assert "succeeded, route web.example:8080: it is not to be seen yet" in said
    assert "succeeded, route web.example:8080: edge edge-1 has not applied the route yet" in said


def test_an_edge_that_never_applies_the_route_is_a_time_out(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """Exit 6 with the cause, never success for what nobody can reach."""
    plane.described = _without_the_route()
    done = platform("deploy", str(manifest), "--timeout", "1", "--json")
    deploy_id, route_id = plane.desired[0]["deploy_id"], plane.routes[0]["route_id"]
    error = done.json["error"]
    assert (done.code, error["retryable"]) == (6, True)
    assert error["message"] == (
        f"deploy {deploy_id} has succeeded, but route web.example:8080 is not served yet:"
        " edge edge-1 has not applied the route yet"
    )
    assert error["details"]["resource"] == {"type": "route", "id": route_id, "name": "web.example:8080"}
    assert error["details"]["fields"] == {"deploy_id": deploy_id, "reason_code": "edge_behind"}


def test_mutant_that_does_not_watch_the_edge_is_caught(
    platform: Run, plane: FakeControlPlane, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the links at the edge ignored, the same deploy would be called a success."""
    monkeypatch.setattr(rollout, "_AT_THE_EDGE", ())
    monkeypatch.setattr(rollout, "_SETTLE_S", 0.0)
    plane.described = _without_the_route()
    assert platform("deploy", str(manifest), "--timeout", "1").code == 0


def test_without_an_edge_there_is_nothing_to_wait_for(
    platform: Run, plane: FakeControlPlane, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform where no edge is enrolled deploys all the same."""
    monkeypatch.setattr(rollout, "_SETTLE_S", 0.0)
    plane.described = Scene.served(nodes={Scene.agent_id: Scene.agent()})
    assert platform("deploy", str(manifest), "--timeout", "5").code == 0


def test_a_manifest_for_another_app_is_refused(platform: Run, plane: FakeControlPlane, manifest: Path) -> None:
    """--app by name or id has to be the manifest's; the saved context's app does not count."""
    for named in ("shop", plane.apps["shop"]):
        done = platform("--app", named, "deploy", str(manifest))
        assert (done.code, plane.writes()) == (2, [])
        assert done.err.startswith("error: --app names 'shop', but the manifest is for 'web'\n")
    assert platform("deploy", str(manifest), "--app", "web", "--no-wait").code == 0
    assert platform("deploy", str(manifest), "--app", plane.apps["web"], "--no-wait").code == 0
