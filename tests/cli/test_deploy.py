"""``platform deploy``: what is missing is made, what is there is left, and it waits for the outcome."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obslib.cli.platform import rollout
from tests.cli.fake_control_plane import FakeControlPlane

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
    """The app comes from --app, else from the manifest's name, else from the context."""
    assert platform("deploy", str(manifest), "--no-wait", "--app", "shop", "--json").json["app_id"] == plane.apps["shop"]
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
