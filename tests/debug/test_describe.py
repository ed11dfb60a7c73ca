"""Descriptions: the fields the debug workflows ask for, and nobody else's data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from obslib.access import Actor, ActorType, Grant, Resource, Scope, authorize, not_found
from obslib.debug import (
    Views,
    convergence_description,
    describe_convergence,
    describe_env,
    describe_instance,
    describe_route,
    env_status,
)
from obslib.debug.visible import visible_error
from obslib.errors import AccessDenied
from obslib.wire import (
    BackendReport,
    ComponentRecord,
    ComponentReport,
    ConsumerRecord,
    EdgeReport,
    GroupReport,
    ProjectionRecord,
    RouteRecord,
    RouteReport,
)
from tests.debug.fake_views import FakeViews

GrantFor = Callable[[Scope, str], Grant]
OTHER = "org_01BX5ZZKBKACTAV9WEVGEMMVRZ"
FIGURES = (
    "memory_limit_bytes", "memory_peak_bytes", "memory_usage_bytes", "memory_cap_exceeded", "cpu_throttled_seconds",
    "cpu_pressure_ratio", "sampled_at",
)  # fmt: skip


@pytest.fixture
def views(scene: Any) -> Views:
    """Views over the served env."""
    return FakeViews(scene.served())


async def test_an_env_answers_the_four_questions(scene: Any, views: Views, grant_for: GrantFor) -> None:
    """What is desired, what runs, what routes to what, why it does not converge (OBJ-02 to OBJ-05)."""
    found: Any = await describe_env(views, grant_for(Scope.ENVS_READ, scene.org), scene.env, now=scene.now)
    assert found["desired"] == [
        {
            "process_type": "web",
            "release_id": scene.release,
            "deploy_id": scene.deploy,
            "deploy_status": "succeeded",
            "replicas": 2,
            "secrets_version": None,
            "event_id": 9,
        }
    ]
    assert [(i["instance_id"], i["state"], i["node_id"], i["age_seconds"], i["last_reason"]) for i in found["running"]] == [
        (scene.one, "ready", scene.agent_id, 30.0, ""),
        (scene.two, "ready", scene.agent_id, 30.0, ""),
    ]
    assert found["instances"] == found["running"]
    assert [(r["hostname"], r["listener_port"], len(r["backends"])) for r in found["routing"]] == [("shop.example", 8080, 2)]
    assert (found["convergence"]["verdict"], found["convergence"]["first_failing_link"]) == ("converged", None)
    assert [line["link"] for line in found["convergence"]["links"]] == [
        "desired", "allocated", "booted", "ready", "routed", "applied", "reachable", "healthy",
    ]  # fmt: skip
    assert {condition["type"]: condition["status"] for condition in found["conditions"]} == {
        "Ready": "True",
        "Reconciling": "False",
        "Degraded": "False",
    }
    assert found["last_transition"] == scene.ago(19)
    assert json.loads(json.dumps(found)) == found


async def test_a_status_is_the_short_form(scene: Any, views: Views, grant_for: GrantFor) -> None:
    """State, counts and routes in a few fields."""
    found: Any = await env_status(views, grant_for(Scope.ENVS_READ, scene.org), scene.env, now=scene.now)
    assert found["state"] == "healthy"
    assert found["instances"] == {"desired": 2, "running": 2, "ready": 2, "serving": 2}


async def test_a_route_shows_each_edges_view_with_its_age(scene: Any, grant_for: GrantFor) -> None:
    """Binding, backends and what each edge can reach, with age and last failure reason (DBG-1-03, DBG-1-04)."""
    backend = BackendReport(instance_id=scene.one, state="unreachable", last_failure_reason="refused", checked_at=scene.ago(4))
    state = EdgeReport(last_result="success", routes={scene.route: RouteReport(listener_port=8080, backends=[backend])})
    facts = scene.served(
        nodes={scene.agent_id: scene.agent(), scene.edge_id: scene.edge(edge=state)}, instances=[scene.instance(scene.one)]
    )
    found: Any = await describe_route(
        FakeViews(facts), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.route, now=scene.now
    )
    assert found["binding"] == {
        "hostname": "shop.example",
        "listener_port": 8080,
        "protocol": "tcp_raw",
        "proxy_protocol": "off",
        "process_type": "web",
        "backend_port": 0,
        "event_id": 8,
    }
    (line,) = found["backends"]
    assert (line["instance_id"], line["node_id"], line["state"]) == (scene.one, scene.agent_id, "ready")
    assert line["edge_reachability"] == [
        {
            "node_id": scene.edge_id,
            "name": "edge-1",
            "state": "unreachable",
            "is_applied": True,
            "gated": "",
            "last_failure_reason": "refused",
            "checked_at": scene.ago(4),
            "age_seconds": 4.0,
            "edge_age_seconds": 1.0,
        }
    ]
    assert found["convergence"]["reason_code"] == "refused"


async def test_a_silent_edge_is_unknown_not_reachable(scene: Any, grant_for: GrantFor) -> None:
    """What a silent edge said last is shown as unknown, with its age."""
    facts = scene.served(nodes={scene.agent_id: scene.agent(), scene.edge_id: scene.edge(seen_at=scene.ago(75))})
    found: Any = await describe_route(
        FakeViews(facts), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.route, now=scene.now
    )
    states = {(seen["state"], seen["edge_age_seconds"]) for b in found["backends"] for seen in b["edge_reachability"]}
    assert states == {("unknown", 75.0)}


async def test_a_backend_that_does_not_speak_proxy_gets_a_hint(scene: Any, grant_for: GrantFor) -> None:
    """Closing right after the PROXY v2 header is explained (platform facts §14)."""
    backend = BackendReport(instance_id=scene.one, state="unreachable", last_failure_reason="closed_early")
    state = EdgeReport(last_result="success", routes={scene.route: RouteReport(listener_port=8080, backends=[backend])})
    route = RouteRecord(
        route_id=scene.route, env_id=scene.env, hostname="h", listener_port=8080, process_type="web", proxy_protocol="v2"
    )
    facts = scene.served(
        nodes={scene.agent_id: scene.agent(), scene.edge_id: scene.edge(edge=state)},
        instances=[scene.instance(scene.one)],
        routes=[route],
    )
    found: Any = await describe_route(
        FakeViews(facts), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.route, now=scene.now
    )
    assert found["hints"] == [
        "the backend closes right after the PROXY v2 header; it may not speak it: set proxy_protocol to off"
    ]


async def test_an_instance_tells_its_life_and_its_end(scene: Any, grant_for: GrantFor) -> None:
    """Timeline and termination class of an instance that crashed and came back (DBG-3-01, DBG-3-02)."""
    life = [
        scene.event(1, "instance.allocated", scene.one, node_id=scene.agent_id, spec={"env": {"A": "secret"}}),
        scene.event(2, "instance.status_changed", scene.one, status="booting", boot_id="boot_1"),
        scene.event(3, "instance.status_changed", scene.one, status="ready", boot_id="boot_1", port=9000),
        scene.event(
            4, "instance.status_changed", scene.one, status="failed", boot_id="boot_1", reason_code="oom_killed",
            termination_class="oom", exit_code=-9,
        ),
        scene.event(5, "instance.status_changed", scene.one, status="ready", boot_id="boot_2", restarts=1),
        scene.event(6, "instance.desired_state_changed", scene.one, desired_state="draining", reason="scale_down"),
        scene.event(7, "instance.allocated", scene.two),
    ]  # fmt: skip
    found: Any = await describe_instance(
        FakeViews(scene.served(events=life)), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.one, now=scene.now
    )
    assert [line["what"] for line in found["timeline"]] == [
        "allocated", "booting", "ready", "failed", "ready", "desired draining",
    ]  # fmt: skip
    assert "secret" not in json.dumps(found)
    assert found["termination"] == {
        "termination_class": "oom",
        "reason_code": "oom_killed",
        "reason_detail": "",
        "exit_code": -9,
        "boot_id": "boot_1",
        "release_id": scene.release,
        "at": scene.ago(36),
        "age_seconds": 36.0,
        **dict.fromkeys(FIGURES),
    }
    assert found["health"] == {
        "last_result": "pass",
        "consecutive_failures": 0,
        "last_checked_at": scene.ago(1),
        "age_seconds": 1.0,
        "reason": "",
    }


@pytest.mark.parametrize(("boot_id", "is_shown"), [("boot_1", True), ("boot_0", False)])
async def test_an_end_is_shown_with_the_figures_of_that_very_boot(
    scene: Any, grant_for: GrantFor, boot_id: str, is_shown: bool
) -> None:
    """Cap, peak and the release that set it (DBG-3-03); figures of another boot are unknown rather than wrong."""
    figures = {
        "memory_limit_bytes": 100, "memory_peak_bytes": 100, "memory_usage_bytes": 96, "memory_cap_exceeded": True,
        "cpu_throttled_seconds": 0.0, "cpu_pressure_ratio": 0.25, "sampled_at": scene.ago(21),
    }  # fmt: skip
    end = {"boot_id": boot_id, "report": {"termination_class": "oom", "reason_code": "oom_killed", **figures}}
    failed = scene.instance(
        scene.one, status="failed", boot_id="boot_1", termination_class="oom", reason_code="oom_killed", last_end=end
    )
    found: Any = await describe_instance(
        FakeViews(scene.served(instances=[failed])), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.one, now=scene.now
    )
    assert {name: found["termination"][name] for name in FIGURES} == (figures if is_shown else dict.fromkeys(FIGURES))
    assert found["termination"]["release_id"] == scene.release


async def test_an_instance_that_stopped_as_desired_is_not_broken(scene: Any, grant_for: GrantFor) -> None:
    """A stopped instance has ended: neither ready nor degraded."""
    stopped = scene.instance(scene.one, desired_state="stopped", desired_reason="scale_down", status="stopped", is_final=True)
    found: Any = await describe_instance(
        FakeViews(scene.served(instances=[stopped])), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.one, now=scene.now
    )
    assert found["convergence"]["verdict"] == "ended"
    assert {c["type"]: c["status"] for c in found["conditions"]} == {
        "Ready": "False", "Reconciling": "False", "Degraded": "False",
    }  # fmt: skip


@pytest.mark.parametrize("missing", ["env", "route", "instance"])
async def test_what_is_foreign_is_what_is_missing(scene: Any, views: Views, grant_for: GrantFor, missing: str) -> None:
    """Another org's grant, and an id that does not exist, get the same refusal."""
    ours, theirs = grant_for(Scope.ENVS_READ, scene.org), grant_for(Scope.ENVS_READ, OTHER)
    with pytest.raises(AccessDenied) as foreign:
        await describe_env(views, theirs, scene.env, now=scene.now)
    assert str(foreign.value) == str(not_found(Resource(type="env", id=scene.env)))
    calls = {
        "env": describe_env(views, ours, "env_x", now=scene.now),
        "route": describe_route(views, ours, scene.env, "rt_x", now=scene.now),
        "instance": describe_instance(views, ours, scene.env, "inst_x", now=scene.now),
    }
    with pytest.raises(AccessDenied) as absent:
        await calls.pop(missing)
    for unused in calls.values():
        unused.close()
    prefix = {"env": "env_x", "route": "rt_x", "instance": "inst_x"}[missing]
    assert str(absent.value) == str(not_found(Resource(type=missing, id=prefix)))


async def test_a_grant_for_something_else_describes_nothing(scene: Any, views: Views, grant_for: GrantFor) -> None:
    """A grant to read logs does not describe an env, and one to administer the org neither."""
    for scope in (Scope.EVENTS_READ, Scope.ORGS_ADMIN):
        with pytest.raises(AccessDenied, match="'envs:read'"):
            await describe_env(views, grant_for(scope, scene.org), scene.env, now=scene.now)


async def test_mutant_without_the_grants_check_is_caught(
    scene: Any, grant_for: GrantFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With views that forget the org, the library still refuses; without its own check it would leak."""

    class Careless(FakeViews):
        def _of(self, grant: Grant, env_id: str) -> Any:
            return self._envs.get(env_id)

    careless, theirs = Careless(scene.served()), grant_for(Scope.ENVS_READ, OTHER)
    with pytest.raises(AccessDenied):
        await describe_env(careless, theirs, scene.env, now=scene.now)
    blind = scene.served(env=scene.served().env.model_copy(update={"org_id": OTHER}))
    monkeypatch.setattr(careless, "_envs", {scene.env: blind})
    leaked = await describe_env(careless, theirs, scene.env, now=scene.now)
    assert leaked["desired"]


def test_a_tenant_reads_only_errors_about_itself(scene: Any) -> None:
    """An error that names another's instance, host or address is cut down to its class."""
    facts = scene.served()
    stranger = "inst_01BX5ZZKBKACTAV9WEVGEMMVRZ"
    assert visible_error(f"LaunchError: {scene.one} has no command", facts) == f"LaunchError: {scene.one} has no command"
    assert visible_error("OSError: 8080 of shop.example is taken", facts) == "OSError: 8080 of shop.example is taken"
    for text in (
        f"LaunchError: {stranger} and {scene.one}",
        "LaunchError: other.example",
        "LaunchError: 10.0.0.7",
        "LaunchError",
    ):
        assert visible_error(text, facts) == "LaunchError (details are for operators)"
    assert visible_error("other.example is taken", facts) == "error (details are for operators)"
    assert visible_error("", facts) == ""


async def test_a_tenant_never_reads_the_databases_words(scene: Any, grant_for: GrantFor) -> None:
    """Of what went wrong in the scheduler there is the class; its own sentence about room stays whole."""
    text = f'DiskFull: could not extend file "base/5/16393" for {scene.one}'

    async def described(reason: str, detail: str, loop_error: str = "") -> str:
        groups = [] if loop_error else [GroupReport(env_id=scene.env, process_type="web", reason=reason, detail=detail)]
        report = ComponentReport(cursor_event_id=12, loop_error=loop_error, groups=groups)
        record = ComponentRecord(component="scheduler", seen_at=scene.ago(1), report=report)
        facts = scene.served(instances=[scene.instance(scene.one)], components={"scheduler": record})
        grant = grant_for(Scope.ENVS_READ, scene.org)
        return json.dumps(await describe_env(FakeViews(facts), grant, scene.env, now=scene.now))

    for found in (await described("unavailable", text), await described("", "", text)):
        assert "base/5" not in found
        assert "DiskFull (details are for operators)" in found
    assert "needs 5 bytes" in await described("no_capacity_memory", "needs 5 bytes with overhead")


async def test_a_port_no_edge_can_bind_is_its_own_routes_trouble(scene: Any, grant_for: GrantFor) -> None:
    """The route's owner reads port_unavailable at the link applied, and is told which edge it is."""
    state = EdgeReport(last_result="success", routes={scene.route: RouteReport(listener_port=8080, problem="port_unavailable")})
    facts = scene.served(nodes={scene.agent_id: scene.agent(), scene.edge_id: scene.edge(edge=state)})
    found: Any = await describe_route(
        FakeViews(facts), grant_for(Scope.ENVS_READ, scene.org), scene.env, scene.route, now=scene.now
    )
    convergence = found["convergence"]
    assert (convergence["first_failing_link"], convergence["reason_code"]) == ("applied", "port_unavailable")
    assert convergence["cause"] == "edge edge-1 cannot listen on port 8080: port_unavailable"
    assert [(e["state"], e["is_applied"], e["problem"]) for e in found["edges"]] == [("success", False, "port_unavailable")]


async def test_convergence_is_for_operators(scene: Any, views: Views, grant_for: GrantFor) -> None:
    """Cursors, lags and errors of the whole platform need nodes:admin and no org (DBG-2-01 to DBG-2-03)."""
    with pytest.raises(AccessDenied, match="nodes:admin"):
        await describe_convergence(views, grant_for(Scope.ENVS_READ, scene.org), now=scene.now)
    operator = Actor(actor_type=ActorType.SERVICE_PRINCIPAL, actor_id="op", org_id=None, scopes=frozenset({Scope.NODES_ADMIN}))
    grant = authorize(operator, Scope.NODES_ADMIN, None, resource=Resource(type="convergence"))
    found: Any = await describe_convergence(views, grant, now=scene.now)
    assert (found["verdict"], found["cause"]) == ("ok", "")
    assert {line["name"] for line in found["consumers"]} == {"agent agent-1", "edge edge-1"}


def test_convergence_names_the_gravest_trouble(scene: Any) -> None:
    """A failing reader outranks a silent one, a silent one outranks lag; all keep their numbers."""
    view = ProjectionRecord(projection="routes", last_applied_event_id=1, newest_event_id=6_002)
    behind = ConsumerRecord(consumer="agent", name="a", cursor_event_id=1, head_event_id=9_000, seen_at=scene.ago(1))
    silent = ConsumerRecord(consumer="edge", name="e", seen_at=scene.ago(61))
    failing = ConsumerRecord(consumer="scheduler", seen_at=scene.ago(1), last_error="boom", backoffs={"env/web": 2.0})

    def verdict(*consumers: ConsumerRecord) -> tuple[object, object]:
        found = convergence_description([view], consumers, [], now=scene.now)
        return found["verdict"], found["cause"]

    assert verdict(behind, silent, failing) == ("failing", "scheduler is failing")
    assert verdict(behind, silent) == ("silent", "edge e is silent")
    assert verdict(behind) == ("unknown", "projection routes is unknown")
