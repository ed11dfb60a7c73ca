"""Edges, for operators: what each serves, what it refuses and why (DBG-2-06)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib.access import Actor, ActorType, Grant, Resource, Scope, authorize
from obslib.debug import describe_edges
from obslib.errors import AccessDenied
from obslib.wire import BackendReport, EdgeReport, RouteReport
from tests.debug.fake_views import FakeViews


@pytest.fixture
def operator() -> Grant:
    """A platform grant."""
    actor = Actor(actor_type=ActorType.USER, actor_id="op", org_id=None, scopes=frozenset({Scope.NODES_ADMIN}))
    return authorize(actor, Scope.NODES_ADMIN, None, resource=Resource(type="platform"))


def reporting(s: Any, **changes: Any) -> FakeViews:
    """Views in which the edge reports this, and was heard a second ago unless said otherwise."""
    seen_at = changes.pop("seen_at", s.ago(1))
    report = EdgeReport(**({"applied_event_id": 11, "last_result": "success", "applied_at": s.ago(3)} | changes))
    return FakeViews(s.served(nodes={s.agent_id: s.agent(), s.edge_id: s.edge(edge=report, seen_at=seen_at)}))


async def test_an_edge_is_told_with_its_config_and_backends(scene: Any, operator: Grant) -> None:
    """Applied event id, age, result and backends of each edge, and no agent among them."""
    found: Any = await describe_edges(FakeViews(scene.served()), operator, now=scene.now)
    assert (found["kind"], found["verdict"], found["cause"]) == ("edges", "ok", "")
    (edge,) = found["edges"]
    told = ("name", "state", "applied_event_id", "newest_event_id", "last_result", "applied_age_seconds", "routes", "refused")
    assert [edge[key] for key in told] == ["edge-1", "ok", 12, 12, "success", 3.0, 1, []]
    assert [(b["instance_id"], b["state"], b["age_seconds"]) for b in edge["backends"]] == [
        (scene.one, "reachable", 2.0),
        (scene.two, "reachable", 2.0),
    ]


async def test_a_refused_route_is_named_with_its_problem(scene: Any, operator: Grant) -> None:
    """The other routes go on, so the edge is refusing, not failing."""
    routes = {
        scene.route: RouteReport(listener_port=8080, backends=[BackendReport(instance_id=scene.one)]),
        "rt_taken": RouteReport(listener_port=9090, problem="port_unavailable"),
    }
    found: Any = await describe_edges(reporting(scene, routes=routes), operator, now=scene.now)
    assert (found["verdict"], found["cause"]) == ("refusing", "edge-1 is refusing")
    assert found["edges"][0]["refused"] == [{"route_id": "rt_taken", "listener_port": 9090, "problem": "port_unavailable"}]


@pytest.mark.parametrize(
    ("report", "state"),
    [
        ({"last_result": "failure", "last_error": "two routes claim port 80"}, "failing"),
        ({"seen_at": "2025-01-01T00:00:00Z"}, "silent"),
        ({"seen_at": None}, "unknown"),
    ],
)
async def test_an_edge_that_fails_or_does_not_answer_is_never_ok(
    scene: Any, operator: Grant, report: dict[str, Any], state: str
) -> None:
    """A failed apply, silence and never having been heard each have their word."""
    found: Any = await describe_edges(reporting(scene, **report), operator, now=scene.now)
    assert (found["verdict"], found["edges"][0]["state"]) == (state, state)
    assert found["edges"][0]["last_error"] == report.get("last_error", "")


async def test_one_edge_is_found_by_name_or_id_and_an_agent_is_none(scene: Any, operator: Grant) -> None:
    """What is no edge is missing."""
    views = FakeViews(scene.served())
    for named in ("edge-1", scene.edge_id):
        found: Any = await describe_edges(views, operator, now=scene.now, node=named)
        assert len(found["edges"]) == 1
    for named in ("agent-1", scene.agent_id, "edge-9"):
        with pytest.raises(AccessDenied):
            await describe_edges(views, operator, now=scene.now, node=named)


async def test_a_platform_without_an_edge_is_not_well(scene: Any, operator: Grant) -> None:
    """Nothing to ask is unknown, not fine."""
    found: Any = await describe_edges(FakeViews(scene.served(nodes={})), operator, now=scene.now)
    assert (found["verdict"], found["cause"]) == ("unknown", "there is no edge node")


async def test_edges_are_for_operators(scene: Any, grant_for: Callable[[Scope, str], Grant]) -> None:
    """An edge carries everybody's routes: no grant in an org shows it."""
    with pytest.raises(AccessDenied):
        await describe_edges(FakeViews(scene.served()), grant_for(Scope.ENVS_READ, scene.org), now=scene.now)
