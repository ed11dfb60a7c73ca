"""Why: the first broken link, what changed before it broke, and where to go next."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obslib.access import Grant, Scope
from obslib.debug import verdict, why_env
from obslib.debug.advice import RUNBOOK_OF, advise
from obslib.debug.chain import Finding, Link, State
from obslib.errors import AccessDenied
from obslib.wire import ProjectionRecord, RouteReport
from tests.debug.breaks import CASES, at_edge, crashing, left_on_a_lost_node
from tests.debug.fake_views import FakeViews

ROOT = Path(__file__).parents[2]
GrantFor = Callable[[Scope, str], Grant]


@pytest.fixture
def why(scene: Any, grant_for: GrantFor) -> Callable[..., Any]:
    """Asks why about some facts."""

    async def ask(facts: Any) -> Any:
        return await why_env(FakeViews(facts), grant_for(Scope.ENVS_READ, scene.org), scene.env, now=scene.now)

    return ask


@pytest.mark.parametrize("name", CASES)
async def test_every_verdict_has_its_answer(scene: Any, why: Callable[..., Any], name: str) -> None:
    """Why and describe never disagree; what is not converged names a link, a reason and a command."""
    broken, (expected, link, reason, _) = CASES[name]
    found = await why(broken(scene))
    assert (found["verdict"], found["reason_code"], found["is_healthy"]) == (expected, reason, expected == "converged")
    assert (found["first_broken"] or {}).get("link") == link
    assert found["answer"]
    assert found["next_command"]
    assert found["runbook"] == (f"specs/runbooks/{RUNBOOK_OF[reason].path}" if reason in RUNBOOK_OF else "")
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("reason", RUNBOOK_OF)
def test_every_runbook_that_is_named_can_be_opened(scene: Any, reason: str) -> None:
    """The path leads to a page of this repository."""
    finding = Finding(link=Link.READY, state=State.FAILING, cause="it is so", reason_code=reason)
    assert (ROOT / advise(scene.served(), finding).runbook).is_file()


@pytest.mark.parametrize("name", CASES)
def test_what_an_operator_must_do_has_a_runbook(scene: Any, name: str) -> None:
    """Whenever the next command is for operators, a page says what it is for."""
    advice = verdict.judge(CASES[name][0](scene))[0].advice
    assert advice.actor == "tenant" or advice.runbook


async def test_a_healthy_env_says_so_and_why(scene: Any, why: Callable[..., Any]) -> None:
    """Every link is shown with what it rests on, and nothing is blamed."""
    found = await why(scene.served())
    assert (found["is_healthy"], found["answer"]) == (True, "everything desired is running and served; 2 of 2 serve")
    assert [line["link"] for line in found["links"]] == [str(link) for link in Link]
    assert {line["state"] for line in found["links"]} == {"ok"}
    assert (found["first_broken"], found["changed_before"], found["runbook"]) == (None, [], "")


async def test_what_changed_before_the_break_is_told_newest_first(scene: Any, why: Callable[..., Any]) -> None:
    """The deploy is named with who, old and new release; what came after the break or cannot break the link is not."""
    facts = crashing(scene)
    history = [
        scene.event(1, "env.desired_release_set", scene.env, release_id="rel_old"),
        scene.event(2, "route.created", scene.route, hostname="shop.example"),
        scene.event(9, "env.desired_release_set", scene.env, release_id=scene.release),
        *facts.events,
        scene.event(13, "env.scale_set", scene.env, process_type="web", replicas=9),
    ]
    found = await why(scene.served(instances=facts.instances, events=history))
    assert found["first_broken"]["since"] == scene.ago(28)
    assert [(c["event_id"], c["field"], c["old"], c["new"]) for c in found["changed_before"]] == [
        (9, "release_id", "rel_old", scene.release),
        (1, "release_id", None, "rel_old"),
    ]
    first = found["changed_before"][0]
    assert (first["actor_id"], first["seconds_before"], first["age_seconds"]) == ("usr_1", 3.0, 31.0)


async def test_a_missing_route_is_explained_by_who_deleted_it(scene: Any, why: Callable[..., Any]) -> None:
    """Where nobody knows since when a link is broken, the newest changes that can break it are told."""
    history = [
        scene.event(2, "route.created", scene.route, hostname="shop.example", listener_port=8080),
        scene.event(12, "route.deleted", scene.route),
    ]
    found = await why(scene.served(routes=[], events=history))
    deleted = found["changed_before"][0]
    assert (deleted["action"], deleted["old"]) == ("deleted", {"hostname": "shop.example", "listener_port": 8080})
    assert deleted["seconds_before"] is None


async def test_a_silent_node_is_dated_by_its_last_word(scene: Any, why: Callable[..., Any]) -> None:
    """The break is as old as the silence."""
    found = await why(left_on_a_lost_node(scene))
    assert (found["first_broken"]["since"], found["first_broken"]["age_seconds"]) == (scene.ago(75), 75.0)
    assert found["runbook"] == "specs/runbooks/host-degraded.md"


def two_links_broken(scene: Any) -> Any:
    """The views are out of date, and an edge that cannot bind a port is known from its heartbeat."""
    refused = at_edge(scene, routes={scene.route: RouteReport(listener_port=8080, problem="port_unavailable")})
    view = ProjectionRecord(projection="routes", last_applied_event_id=1, newest_event_id=9_000, is_critical=True)
    return scene.served(nodes=refused.nodes, projections=[view])


async def test_of_two_broken_links_the_first_is_named(scene: Any, why: Callable[..., Any]) -> None:
    """Even when the later one is graver: it may only follow from the first."""
    found = await why(two_links_broken(scene))
    assert (found["first_broken"]["link"], found["reason_code"]) == ("desired", "projection_lag")
    assert {line["link"]: line["state"] for line in found["links"]}["applied"] == "failing"


async def test_mutant_that_names_the_gravest_link_is_caught(
    scene: Any, why: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that blames whatever fails loudest would send the operator to the edge."""

    def gravest(findings: list[Finding]) -> Finding | None:
        return next((finding for finding in findings if finding.state is State.FAILING), None)

    monkeypatch.setattr(verdict, "first_broken", gravest)
    with pytest.raises(AssertionError):
        await test_of_two_broken_links_the_first_is_named(scene, why)


async def test_a_foreign_env_is_a_missing_one(scene: Any, grant_for: GrantFor) -> None:
    """Nothing is explained to another org."""
    views = FakeViews(scene.served())
    with pytest.raises(AccessDenied) as refusal:
        await why_env(views, grant_for(Scope.ENVS_READ, "org_01BX5ZZKBKACTAV9WEVGEMMVRZ"), scene.env, now=scene.now)
    assert refusal.value.error_class == "not_found"
