"""Verdicts: the first thing to look at, for each way an env can fail to serve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from obslib.debug import Facts, booting, env_description, judge
from obslib.debug.chain import State
from obslib.wire import ComponentReport, HealthReport, NodeReport, PlacedReport
from tests.debug.breaks import CASES, at_edge, left_on_a_lost_node, out_of_memory, seen, short_of_one


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_names_the_first_link_that_is_broken(scene: Any, name: str) -> None:
    """Each way to fail gives its verdict, link, reason code and next command."""
    broken, (verdict, link, reason, command) = CASES[name]
    facts = broken(scene)
    judgement, _ = judge(facts)
    found = judgement.as_dict()
    assert (found["verdict"], found["first_failing_link"], found["reason_code"]) == (verdict, link, reason), found
    if command is not None:
        assert found["next_command"] == command
    elif judgement.broken and judgement.broken.subject.startswith(("inst_", "rt_")):
        assert judgement.broken.subject in str(found["next_command"])
    assert found["cause"]
    json.dumps(env_description(facts))


@pytest.mark.parametrize("name", [name for name, (_, expected) in CASES.items() if expected[0] == "unknown"])
def test_unknown_is_never_shown_as_ready(scene: Any, name: str) -> None:
    """Where something does not answer, Ready and Degraded are Unknown."""
    description = env_description(CASES[name][0](scene))
    statuses = {condition["type"]: condition["status"] for condition in description["conditions"]}  # type: ignore[attr-defined]
    assert statuses == {"Ready": "Unknown", "Reconciling": "False", "Degraded": "Unknown"}


def test_mutant_that_trusts_a_silent_agent_is_caught(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the silence check removed, the silent agent's env would be called converged."""
    monkeypatch.setattr(booting, "_unreachable_node", lambda *_: None)
    facts = CASES["agent silent"][0](scene)
    assert judge(facts)[0].verdict == "converged"


def test_mutant_that_forgets_what_just_ended_is_caught(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the run of failures, an app that is killed every ten seconds would be healthy in between."""
    monkeypatch.setattr(Facts, "failures", lambda *_: ())
    for name in ("up between two ends by memory", "up between crashes"):
        assert judge(CASES[name][0](scene))[0].verdict == "converged"


def test_what_cannot_end_on_a_silent_node_is_named(scene: Any) -> None:
    """An old instance whose agent is gone keeps the env converging, and the cause says which node does not answer."""
    broken = judge(left_on_a_lost_node(scene))[0].broken
    assert broken is not None
    assert (broken.cause, broken.evidence["silent_nodes"]) == (
        "1 old instance is on its way out; agent-9 does not answer",
        {"agent-9": 75.0},
    )
    assert broken.since == scene.ago(75)


def test_an_oom_kill_is_told_with_its_figures(scene: Any) -> None:
    """Peak, cap and the release that set it are in the sentence and in the evidence (DBG-3-03)."""
    broken = judge(out_of_memory(scene))[0].broken
    assert broken is not None
    assert broken.cause.endswith(
        f"is not ready: oom_killed, with a peak of 63.5 MiB against the cap of 64.0 MiB that {scene.release} sets"
    )
    assert broken.evidence["memory_limit_bytes"] == 64 * 2**20
    assert broken.evidence["release_id"] == scene.release


def test_a_failed_check_is_a_wobble_and_three_are_an_outage(scene: Any) -> None:
    """Fewer failures in a row than the threshold are waited for (platform facts §8)."""
    for failures, verdict in ((1, "converging"), (2, "converging"), (3, "degraded")):
        health = HealthReport(last_result="fail", consecutive_failures=failures)
        report = NodeReport(
            cursor_event_id=12,
            instances={
                scene.one: PlacedReport(state="ready", health=HealthReport(last_result="pass")),
                scene.two: PlacedReport(state="ready", health=health),
            },
        )
        facts = scene.served(nodes={scene.agent_id: scene.agent(report=report), scene.edge_id: scene.edge()})
        assert judge(facts)[0].verdict == verdict


def test_an_unknown_link_wins_over_a_later_failing_one(scene: Any) -> None:
    """A silent agent is named before the unreachable backend that may only be its consequence."""
    facts = at_edge(scene, seen(scene, scene.one, state="unreachable"), seen(scene, scene.two, state="unreachable"))
    dead = scene.served(nodes={**facts.nodes, scene.agent_id: scene.agent(seen_at=scene.ago(75))})
    judgement, _ = judge(dead)
    assert judgement.broken is not None
    assert (judgement.broken.link, judgement.broken.state) == ("ready", State.UNKNOWN)
    assert judgement.broken.evidence["agent_age_seconds"] == 75.0


def test_the_evidence_says_how_far_the_reader_is(scene: Any) -> None:
    """A scheduler that is behind is shown with its cursor and the event it has not read."""
    broken = judge(short_of_one(scene, report=ComponentReport(cursor_event_id=8)))[0].broken
    assert broken is not None
    assert broken.evidence == {
        "replicas": 2,
        "allocated": 1,
        "scheduler_age_seconds": 1.0,
        "scheduler_cursor_event_id": 8,
        "wanted_since_event_id": 9,
    }


def test_commands_are_safe_to_paste(scene: Any) -> None:
    """A hostile name is quoted in every command shown."""
    facts = scene.served()
    env = facts.env.model_copy(update={"app_name": "x; rm -rf ~"})
    assert judge(scene.served(env=env))[0].advice.command == "platform events tail --org acme --app 'x; rm -rf ~' --env prod"


def test_a_failure_before_the_wish_is_no_reason_now(scene: Any) -> None:
    """Scaling up after an old crash waits for the scheduler; the crash of before is not brought up again."""
    old = scene.instance(scene.two, status="failed", is_final=True, termination_class="crash", status_event_id=3)
    judgement, _ = judge(scene.served(instances=[scene.instance(scene.one), old]))
    assert judgement.as_dict()["reason_code"] == "allocating"
