"""How far a deploy is: rolling, succeeded or failed, from the plans of its groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from miniplatform.scheduler.rollout import Plan
from miniplatform.scheduler.world import Deploy

__all__ = ["ROLLOUT_TIMEOUT_S", "DeployChange", "overtaken", "settle"]

ROLLOUT_TIMEOUT_S = 600.0
"""A rollout that takes longer has failed (platform facts §7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployChange:
    """A deploy whose status must be changed, and why."""

    deploy: Deploy
    status: str
    reason: str = ""


def overtaken(deploy: Deploy, deploys: Iterable[Deploy]) -> bool:
    """Whether a newer deploy has taken the env over.

    That a deploy has no group says nothing by itself: the views of its release and of its scale may not have met yet.
    """
    return any(other.env_id == deploy.env_id and other.event_id > deploy.event_id for other in deploys)


def settle(deploy: Deploy, plans: Sequence[Plan], *, is_overtaken: bool, now: float) -> DeployChange | None:
    """The next status of ``deploy``; ``plans`` are those of the groups that point at it.

    Without a group it failed when a newer deploy took the env over (``is_overtaken``); otherwise the view of the
    groups has not caught up with that of the deploys. One that is over stays as it is.
    """
    if deploy.status not in ("queued", "rolling"):
        return None
    if not plans:
        return DeployChange(deploy=deploy, status="failed", reason="superseded") if is_overtaken else None
    if deploy.status == "queued":
        return DeployChange(deploy=deploy, status="rolling")
    failure = next((plan.failure for plan in plans if plan.failure), "")
    if failure:
        return DeployChange(deploy=deploy, status="failed", reason=failure)
    if all(plan.is_converged for plan in plans):
        return DeployChange(deploy=deploy, status="succeeded")
    if now - deploy.changed_at > ROLLOUT_TIMEOUT_S:
        return DeployChange(deploy=deploy, status="failed", reason="rollout_timeout")
    return None
