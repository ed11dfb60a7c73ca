"""The commands that explain: why, changes and describe edge, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from obslib.debug import convergence_description
from obslib.wire import ConsumerRecord, RouteReport
from tests.cli.fake_control_plane import OPERATOR, FakeControlPlane
from tests.debug.breaks import at_edge, out_of_memory
from tests.debug.scenes import Scene

Run = Callable[..., Any]


def test_why_leads_with_the_answer_and_ends_with_what_to_do(
    platform: Run, plane: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdict, cause and reason first; the broken link is marked and alone has its evidence; then changes and command."""
    scene = Scene()
    facts = out_of_memory(scene)
    set_release = scene.event(9, "env.desired_release_set", scene.env, release_id=scene.release)
    plane.described = scene.served(instances=facts.instances, events=[set_release, *facts.events])
    monkeypatch.setenv("COLUMNS", "200")
    done = platform("why", "env")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[:2] == [f"env prod of shop {scene.env}", "verdict: degraded at ready"]
    assert lines[2].startswith(
        f"  why: {scene.two} was restarted 3 times and is not ready: oom_killed, with a peak of 63.5 MiB"
    )
    assert lines[2].endswith(f"against the cap of 64.0 MiB that {scene.release} sets; 1 of 2 serve")
    assert lines[3] == "  reason: oom_killed"
    assert [line.split(":")[0] for line in lines if line.startswith(("  -", "  >"))] == [
        "  - desired", "  - allocated", "  - booted", "  > ready", "  - routed", "  - applied", "  - reachable", "  - healthy",
    ]  # fmt: skip
    assert "      memory_limit_bytes: 67108864" in lines
    assert "  3.0 s before, by user usr_1" in lines
    assert f"    env {scene.env} release_id: unknown -> {scene.release}" in lines
    assert lines[-1] == f"try: platform describe instance {scene.two} --org acme --app shop --env prod"


def test_why_of_a_healthy_env_says_so(platform: Run) -> None:
    """Healthy, with every link behind it, and nothing to try."""
    done = platform("why", "env")
    assert (done.code, done.out.splitlines()[1]) == (0, "verdict: healthy")
    assert "try" not in done.out
    assert done.out.count(": ok") == 8


def test_why_exits_with_0_whatever_the_verdict(platform: Run, plane: FakeControlPlane) -> None:
    """The answer is the output; under --json a program finds reason, link and runbook."""
    scene = Scene()
    plane.described = at_edge(scene, routes={scene.route: RouteReport(listener_port=8080, problem="port_unavailable")})
    done = platform("why", "env", "--json")
    assert done.code == 0
    assert (done.json["reason_code"], done.json["first_broken"]["link"]) == ("port_unavailable", "applied")
    assert done.json["runbook"] == "specs/runbooks/edge-partial-outage.md"
    assert "runbook (operator): specs/runbooks/edge-partial-outage.md" in platform("why", "env").out


def test_describe_edge_names_what_is_refused(platform: Run, plane: FakeControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """State, position and age of the config, then the routes that are not served and the backends out of rotation."""
    scene = Scene()
    plane.described = at_edge(scene, routes={scene.route: RouteReport(listener_port=8080, problem="port_unavailable")})
    monkeypatch.setenv("PLATFORM_TOKEN", OPERATOR)
    done = platform("describe", "edge")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "verdict: refusing"
    assert f"  edge-1 refusing {scene.edge_id}" in lines
    assert f"    refused {scene.route} on port 8080: port_unavailable" in lines
    assert plane.calls[-1].query == {}
    assert platform("describe", "edge", "edge-1").code == 0
    assert plane.calls[-1].query == {"node": "edge-1"}
    assert platform("describe", "edge", "").code == 2


def test_describe_convergence_shows_every_reader_with_its_cursor_and_lag(
    platform: Run, plane: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gravest trouble first, then where projections and consumers stand, with errors and backoffs; for operators."""
    scene = Scene()
    facts = scene.served()
    consumers = [
        ConsumerRecord(
            consumer="agent", name="agent-1", cursor_event_id=4, head_event_id=9, lag_events=5, seen_at=scene.ago(1)
        ),
        ConsumerRecord(consumer="scheduler", seen_at=scene.ago(1), last_error="no answer", backoffs={"prod/web": 2.0}),
    ]
    components = list(facts.components.values())
    plane.convergence = convergence_description(facts.projections, consumers, components, now=scene.now)
    assert platform("describe", "convergence").code == 4
    monkeypatch.setenv("PLATFORM_TOKEN", OPERATOR)
    done = platform("describe", "convergence")
    assert done.code == 0, done.err
    assert done.out.startswith("verdict: failing - scheduler is failing\n")
    shown = " ".join(done.out.split())
    for said in ("projections (1)", "consumers (2)", "components (2)", "at 4 lag 5", "error no answer"):
        assert said in shown, done.out
    told = platform("describe", "convergence", "--json").json["consumers"]
    assert (told[0]["lag_events"], told[1]["backoffs"]) == (5, {"prod/web": 2.0})


CHANGES = [
    {"event_id": 7, "at": "2026-01-31T09:30:00.000000Z", "actor_type": "user", "actor_id": "usr_1", "resource_type": "env",
     "resource_id": "env_1", "action": "changed", "field": "web.replicas", "old": 2, "new": 3, "is_old_known": True},
    {"event_id": 7, "at": "2026-01-31T09:30:00.000000Z", "actor_type": "user", "actor_id": "usr_1", "resource_type": "env",
     "resource_id": "env_1", "action": "changed", "field": "release_id", "old": None, "new": "rel_2", "is_old_known": False},
    {"event_id": 8, "at": "2026-01-31T09:31:00.000000Z", "actor_type": "user", "actor_id": "usr_1", "resource_type": "route",
     "resource_id": "rt_1", "action": "deleted", "field": "", "old": {"hostname": "a.example"}, "new": None,
     "is_old_known": True},
]  # fmt: skip


def test_changes_read_like_a_diff(platform: Run, plane: FakeControlPlane) -> None:
    """One heading per event with who and when; old and new, and unknown where nobody knows; a cut is told."""
    plane.changes = {"changes": CHANGES, "events": 2, "is_cut": True, "complete_since": "2026-01-31T09:30:00Z"}
    done = platform("changes", "--since", "10m", "--limit", "2", "--instances")
    assert done.out.splitlines() == [
        "2026-01-31T09:30:00.000000Z #7 user usr_1",
        "  env env_1 web.replicas: 2 -> 3",
        "  env env_1 release_id: unknown -> rel_2",
        "2026-01-31T09:31:00.000000Z #8 user usr_1",
        "  route rt_1 deleted hostname=a.example",
    ]
    assert "complete since 2026-01-31T09:30:00Z" in done.err.replace("\n", " ")
    query = plane.calls[-1].query
    assert (query["limit"], query["instances"], query["env_id"]) == ("2", "true", plane.envs["prod"])


@pytest.mark.parametrize(
    ("flags", "narrowed_to"), [(("--all-envs",), set()), (("--env", "prod"), {"env_id"}), (("--app", "shop"), {"env_id"})]
)
def test_changes_are_of_what_is_named(
    platform: Run, plane: FakeControlPlane, flags: tuple[str, ...], narrowed_to: set[str]
) -> None:
    """Of the env, or of the whole org when asked."""
    assert platform("changes", *flags).code == 0
    assert {key for key in plane.calls[-1].query if key.endswith("_id")} == narrowed_to


@pytest.mark.parametrize("flags", [("--since", "yesterday"), ("--limit", "0"), ("--limit", "2000"), ("--since",)])
def test_changes_refuse_what_they_do_not_understand(platform: Run, flags: tuple[str, ...]) -> None:
    """One sentence and exit code 2."""
    done = platform("changes", *flags)
    assert done.code == 2
    assert done.err.startswith("error: ")
