"""A deploy moves from queued over rolling to one end, and stays there."""

from dataclasses import replace

import pytest

from miniplatform.scheduler.deploys import ROLLOUT_TIMEOUT_S, overtaken, settle
from miniplatform.scheduler.rollout import Plan
from miniplatform.scheduler.world import Deploy

DONE, BUSY, BROKEN = Plan(is_converged=True), Plan(), Plan(failure="replacements_exhausted")


def deploy(status: str) -> Deploy:
    """A deploy whose status changed at second 0."""
    return Deploy(
        deploy_id="dep_1", org_id="o", app_id="a", env_id="e", status=status, reason="", created_at=0.0, changed_at=0.0,
        event_id=1, traceparent="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "plans", "now", "change"),
    [
        ("queued", [BUSY], 1.0, ("rolling", "")),
        ("rolling", [DONE, BUSY], 1.0, None),
        ("rolling", [DONE, DONE], 1.0, ("succeeded", "")),
        ("rolling", [DONE, BROKEN], 1.0, ("failed", "replacements_exhausted")),
        ("rolling", [BUSY], ROLLOUT_TIMEOUT_S, None),
        ("rolling", [BUSY], ROLLOUT_TIMEOUT_S + 1, ("failed", "rollout_timeout")),
        ("rolling", [], 1.0, ("failed", "superseded")),
        ("queued", [], 1.0, ("failed", "superseded")),
        ("succeeded", [BROKEN], 1.0, None),
        ("failed", [DONE], 1.0, None),
    ],
)
def test_the_next_status(status: str, plans: list[Plan], now: float, change: tuple[str, str] | None) -> None:
    """It follows from the groups that still point at the deploy, and from the time."""
    found = settle(deploy(status), plans, is_overtaken=True, now=now)
    assert (found and (found.status, found.reason)) == change


@pytest.mark.parametrize("status", ["queued", "rolling"])
def test_a_deploy_whose_groups_are_not_projected_yet_waits(status: str) -> None:
    """Without a group and without a newer deploy nothing is decided: the view of the groups is behind."""
    assert settle(deploy(status), [], is_overtaken=False, now=1.0) is None


def test_only_a_newer_deploy_of_the_same_env_takes_it_over() -> None:
    """However far the views are: between the event of a release and that of its scale a first deploy has no group either."""
    first = deploy("queued")
    elsewhere = replace(first, deploy_id="dep_2", env_id="other", event_id=9)
    newer = replace(first, deploy_id="dep_3", event_id=2)
    assert not overtaken(first, [first, elsewhere])
    assert overtaken(first, [first, elsewhere, newer])
    assert not overtaken(newer, [first, elsewhere, newer])
