"""Rollouts: they always end, never take away what serves, and take the same steps when taken again."""

from dataclasses import replace
from functools import partial
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miniplatform.scheduler import rollout
from miniplatform.scheduler.rollout import REPLACEMENT_WINDOW_S, REPLACEMENTS, Plan, plan_group
from miniplatform.scheduler.world import Deploy, Group, GroupKey, Instance
from miniplatform.wire import WorkloadSpec

KEY = GroupKey(env_id="env_1", process_type="web")
DRAIN_S = 10.0


def group(replicas: int = 2, *, spec_hash: str = "new", deploy_id: str = "dep_2") -> Group:
    """What the group should be."""
    return Group(
        key=KEY, org_id="org_1", app_id="app_1", release_id="rel_1", deploy_id=deploy_id, replicas=replicas,
        spec=WorkloadSpec(command=("true",)), spec_hash=spec_hash, traceparent="",
    )  # fmt: skip


def one(name: str, **changes: object) -> Instance:
    """A ready instance of the group's present version, but for ``changes``."""
    made = Instance(
        instance_id=name, key=KEY, org_id="org_1", app_id="app_1", deploy_id="dep_2", node_id="node_a", spec_hash="new",
        memory_bytes=1, desired_state="running", desired_reason="", created_at=0.0, changed_at=0.0, status="ready",
        is_final=False, traceparent="",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def deploy(status: str = "rolling", reason: str = "") -> Deploy:
    """The group's deploy."""
    return Deploy(
        deploy_id="dep_2", org_id="org_1", app_id="app_1", env_id="env_1", status=status, reason=reason, created_at=0.0,
        changed_at=0.0, event_id=1, traceparent="",
    )  # fmt: skip


plan = partial(plan_group, deploy=None, offline=(), leaving=(), now=100.0, drain_s=DRAIN_S)
old = partial(one, spec_hash="old", deploy_id="dep_1")
dead = partial(one, status="failed", is_final=True)


def said(found: Plan) -> list[str]:
    """The plan in words."""
    return [
        *(f"stop {s.instance.instance_id} {s.reason}" for s in found.stops),
        *(f"drain {s.instance.instance_id} {s.reason}" for s in found.drains),
        *("allocate" for _ in found.allocations),
    ]


def test_a_new_group_is_filled_at_once() -> None:
    """Without anything to replace there is no reason to go one by one."""
    assert said(plan(group(3), [])) == ["allocate"] * 3


def test_a_group_as_it_should_be_needs_nothing() -> None:
    """A converged group yields no step, however often it is looked at."""
    found = plan(group(2), [one("a"), one("b")])
    assert said(found) == []
    assert found.is_converged


def test_a_rollout_goes_one_by_one() -> None:
    """One new instance at first; an old one drains only when another is ready for it."""
    first = plan(group(2), [old("a"), old("b")])
    second = plan(group(2), [old("a"), old("b"), one("c", status="booting")])
    third = plan(group(2), [old("a"), old("b", created_at=1.0), one("c")])
    assert [said(step) for step in (first, second, third)] == [["allocate"], [], ["drain b rollout_replace"]]


def test_scale_down_takes_what_serves_least() -> None:
    """Not ready before ready, then the newest."""
    group_of_one = [one("a"), one("b", created_at=2.0), one("c", created_at=1.0, status="booting")]
    assert said(plan(group(1), group_of_one)) == ["drain c scale_down", "drain b scale_down"]


@pytest.mark.parametrize(
    ("changed_at", "status", "steps"),
    [
        (95.0, "ready", []),
        (90.0, "ready", ["stop x scale_down"]),
        (99.0, "stopped", ["stop x scale_down"]),
        (99.0, "", ["stop x scale_down"]),
    ],
)
def test_a_drained_instance_stops_after_its_grace(changed_at: float, status: str, steps: list[str]) -> None:
    """The grace is waited for unless there is nothing left to finish; the reason stays."""
    leaving = one("x", desired_state="draining", desired_reason="scale_down", changed_at=changed_at, status=status)
    assert said(plan(group(1), [one("a"), leaving])) == steps


def test_an_instance_on_a_lost_node_is_replaced() -> None:
    """It is stopped with the reason node_offline, and another takes its place in the same pass."""
    found = plan(group(2), [one("a"), one("b", node_id="node_gone")], offline={"node_gone"})
    assert said(found) == ["stop b node_offline", "allocate"]


def test_a_node_being_emptied_keeps_serving_until_replaced() -> None:
    """Instances on a draining node are treated like old ones: a new one first."""
    here = [one("a", node_id="node_leaving"), one("b")]
    assert said(plan(group(2), here, leaving={"node_leaving"})) == ["allocate"]
    assert said(plan(group(2), [*here, one("c")], leaving={"node_leaving"})) == ["drain a node_draining"]


def test_given_up_instances_are_replaced_three_times() -> None:
    """The fourth given-up instance of a deploy within ten minutes is left for all to see, and the deploy cannot succeed."""
    spent = [dead(f"s{n}", desired_state="stopped", desired_reason="replace_failed", changed_at=50.0) for n in range(2)]
    third = plan(group(1), [*spent, dead("a")])
    spent.append(dead("a", desired_state="stopped", desired_reason="replace_failed", changed_at=60.0))
    fourth = plan(group(1), [*spent, dead("b")])
    assert said(third) == ["stop a replace_failed", "allocate"]
    assert (said(fourth), fourth.failure) == ([], "replacements_exhausted")


def test_the_budget_comes_back_after_its_window_unless_the_deploy_failed_of_it() -> None:
    """A deploy that succeeded once is helped again later; one that failed by crashing is not."""
    spent = [
        dead(f"s{n}", desired_state="stopped", desired_reason="replace_failed", changed_at=0.0) for n in range(REPLACEMENTS)
    ]
    later = partial(plan_group, group(1), [*spent, dead("b")], offline=(), leaving=(), drain_s=DRAIN_S)
    assert said(later(deploy=deploy("succeeded"), now=REPLACEMENT_WINDOW_S - 1)) == []
    assert said(later(deploy=deploy("succeeded"), now=REPLACEMENT_WINDOW_S)) == ["stop b replace_failed", "allocate"]
    assert said(later(deploy=deploy("failed", "replacements_exhausted"), now=REPLACEMENT_WINDOW_S)) == []


def test_a_rollback_heals_a_failed_deploy() -> None:
    """Going back to the release that still serves stops what failed and starts nothing."""
    serving = [one("a", spec_hash="good"), one("b", spec_hash="good")]
    assert said(plan(group(2, spec_hash="good"), [*serving, dead("x", spec_hash="bad")])) == ["stop x rollout_replace"]


def test_a_group_nobody_wants_drains_empty() -> None:
    """A process type that the release no longer has leaves whole."""
    assert said(plan(replace(group(0), spec=None, spec_hash=""), [one("a"), one("b")])) == [
        "drain b scale_down",
        "drain a scale_down",
    ]


SITUATIONS = st.lists(
    st.builds(
        one,
        st.uuids().map(str),
        spec_hash=st.sampled_from(["new", "old", "older"]),
        node_id=st.sampled_from(["node_a", "node_b", "node_gone", "node_leaving"]),
        desired_state=st.sampled_from(["running", "running", "running", "draining", "stopped"]),
        status=st.sampled_from(["", "booting", "ready", "ready", "failed", "stopped"]),
        is_final=st.booleans(),
        changed_at=st.floats(0, 100),
        created_at=st.floats(0, 100),
    ),
    max_size=12,
)


@given(instances=SITUATIONS, replicas=st.integers(0, 5))
def test_what_serves_is_never_taken_below_what_is_wanted(instances: list[Instance], replicas: int) -> None:
    """Of the instances that serve, at least ``replicas`` are left, or all if there were fewer."""
    assert not _takes_too_much(instances, replicas)


def test_draining_too_early_is_noticed_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollout that drains an old instance for every new one, ready or not, is caught by the property above."""
    situation = [old("a"), old("b"), one("c", status="booting")]
    assert not _takes_too_much(situation, 2)
    drains = rollout._drains
    monkeypatch.setattr(rollout, "_drains", lambda g, *rest, **kw: drains(replace(g, replicas=g.replicas - 1), *rest, **kw))
    assert _takes_too_much(situation, 2)


@given(instances=SITUATIONS, replicas=st.integers(0, 5))
@settings(max_examples=200)
def test_every_situation_converges(instances: list[Instance], replicas: int) -> None:
    """Applied again and again, with agents that do what they are told, the plan becomes empty with exactly the wanted
    instances ready, and never more than one above them is new at a time while old ones serve.
    """
    names = count()
    now = 100.0
    for _ in range(40):
        found = plan(group(replicas), instances, offline={"node_gone"}, leaving={"node_leaving"}, now=now)
        stopped = {step.instance.instance_id for step in found.stops}
        staying = [i for i in instances if i.is_wanted and i.instance_id not in stopped]
        assert not found.allocations or len(staying) + len(found.allocations) <= replicas + 1
        if found.is_converged and not found.steps:
            break
        instances = _obeyed(instances, found, names, now)
        now += REPLACEMENT_WINDOW_S / 10
    assert found.is_converged, said(found)
    wanted = [i for i in instances if i.is_wanted]
    assert [(i.spec_hash, i.status) for i in wanted] == [("new", "ready")] * replicas


@given(instances=SITUATIONS, replicas=st.integers(0, 5))
def test_a_plan_depends_on_nothing_but_the_situation(instances: list[Instance], replicas: int) -> None:
    """The order in which the database returns rows changes nothing."""
    forth = plan(group(replicas), instances, offline={"node_gone"})
    back = plan(group(replicas), list(reversed(instances)), offline={"node_gone"})
    assert sorted(said(forth)) == sorted(said(back))


def _takes_too_much(instances: list[Instance], replicas: int) -> bool:
    found = plan(group(replicas), instances, offline={"node_gone"}, leaving={"node_leaving"})
    taken = {step.instance.instance_id for step in (*found.stops, *found.drains)}
    serving = [i for i in instances if i.is_ready and i.node_id != "node_gone"]
    left = [i for i in serving if i.instance_id not in taken]
    return len(left) < min(replicas, len(serving))


def _obeyed(instances: list[Instance], found: Plan, names: "count[int]", now: float) -> list[Instance]:
    """The world after its agents did what the plan says, and brought up what was booting."""
    stopped = {s.instance.instance_id: s.reason for s in found.stops}
    drained = {s.instance.instance_id: s.reason for s in found.drains}
    after = []
    for i in instances:
        if i.instance_id in stopped:
            gone = replace(i, desired_state="stopped", desired_reason=stopped[i.instance_id], changed_at=now)
            after.append(gone if gone.has_given_up else replace(gone, status="stopped"))
        elif i.instance_id in drained:
            after.append(replace(i, desired_state="draining", desired_reason=drained[i.instance_id], changed_at=now))
        elif i.is_wanted and not i.has_given_up:
            after.append(replace(i, status="ready"))
        else:
            after.append(i)
    after += [one(f"new-{next(names)}", created_at=now, status="booting") for _ in found.allocations]
    return after
