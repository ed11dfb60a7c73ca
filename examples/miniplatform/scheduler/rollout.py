"""What to do about one group now: pure, from what it should be and what there is.

Rolling with surge 1 and nothing unavailable: a new instance first, an old one leaves only when enough
others are ready. Every step is found again from the views, so a scheduler that dies between two steps
leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from miniplatform.scheduler.world import Deploy, Group, Instance

__all__ = ["REPLACEMENTS", "REPLACEMENT_WINDOW_S", "Allocate", "Drain", "Plan", "Stop", "plan_group"]

SURGE = 1
REPLACEMENTS = 3
"""Given-up instances that are replaced per group and deploy within the window (platform facts §7)."""
REPLACEMENT_WINDOW_S = 600.0
EXHAUSTED = "replacements_exhausted"
REPLACED = "replace_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocate:
    """One more instance of the group's present version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """An instance takes no new connections from now on."""

    instance: Instance
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An instance ends."""

    instance: Instance
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of one group, in order. ``failure`` is why its deploy cannot succeed, empty while it can."""

    stops: tuple[Stop, ...] = ()
    drains: tuple[Drain, ...] = ()
    allocations: tuple[Allocate, ...] = ()
    is_converged: bool = False
    failure: str = ""

    @property
    def steps(self) -> tuple[Stop | Drain | Allocate, ...]:
        """Everything to do: what frees room comes first."""
        return (*self.stops, *self.drains, *self.allocations)


def plan_group(
    group: Group,
    instances: Sequence[Instance],
    *,
    deploy: Deploy | None,
    offline: Collection[str],
    leaving: Collection[str],
    now: float,
    drain_s: float,
) -> Plan:
    """What to do about ``group`` now. ``offline`` and ``leaving`` are ids of nodes that are gone or being emptied."""
    ended = _ended_drains(instances, offline, now, drain_s)
    wanted = [i for i in instances if i.is_wanted]
    lost = [i for i in wanted if i.node_id in offline]
    here = [i for i in wanted if i.node_id not in offline]
    new = [i for i in here if i.spec_hash == group.spec_hash and i.node_id not in leaving]
    old = [i for i in here if i.spec_hash != group.spec_hash or i.node_id in leaving]

    given_up = [i for i in new if i.has_given_up]
    kept_failed, replaced = _split_by_budget(group, given_up, instances, deploy, now)
    stops = [
        *ended,
        *(Stop(instance=i, reason="node_offline") for i in lost),
        *(Stop(instance=i, reason=REPLACED) for i in replaced),
        *(Stop(instance=i, reason=_why_old(i, leaving)) for i in old if i.has_given_up),
    ]
    new = [i for i in new if not i.has_given_up]
    old = [i for i in old if not i.has_given_up]
    surplus = max(0, len(new) + len(kept_failed) - group.replicas)
    stops += [Stop(instance=i, reason="scale_down") for i in kept_failed[:surplus]]
    kept_failed = kept_failed[surplus:]
    drains = _drains(group, new, old, leaving, surplus=max(0, len(new) + len(kept_failed) - group.replicas))
    filled = len(new) + len(kept_failed)
    missing = max(0, group.replicas - filled)
    room = missing if not old else max(0, group.replicas + SURGE - filled - len(old))
    return Plan(
        stops=tuple(stops),
        drains=tuple(drains),
        allocations=(Allocate(),) * min(missing, room),
        is_converged=not old and not lost and len(new) == group.replicas and all(i.is_ready for i in new),
        failure=EXHAUSTED if kept_failed else "",
    )


def _ended_drains(instances: Sequence[Instance], offline: Collection[str], now: float, drain_s: float) -> list[Stop]:
    """Drained instances whose grace is over, or that have nothing left to finish."""
    return [
        Stop(instance=i, reason=i.desired_reason)
        for i in instances
        if i.desired_state == "draining"
        and (now - i.changed_at >= drain_s or i.status in ("", "stopped", "failed") or i.node_id in offline)
    ]


def _split_by_budget(
    group: Group, given_up: list[Instance], instances: Sequence[Instance], deploy: Deploy | None, now: float
) -> tuple[list[Instance], list[Instance]]:
    """Given-up instances that stay as they are, and those that are replaced; the oldest go first."""
    given_up = sorted(given_up, key=lambda i: (i.created_at, i.instance_id))
    if deploy is not None and deploy.status == "failed" and deploy.reason == EXHAUSTED:
        return given_up, []
    spent = sum(
        1
        for i in instances
        if i.desired_reason == REPLACED and i.deploy_id == group.deploy_id and now - i.changed_at < REPLACEMENT_WINDOW_S
    )
    left = max(0, REPLACEMENTS - spent)
    return given_up[left:], given_up[:left]


def _drains(group: Group, new: list[Instance], old: list[Instance], leaving: Collection[str], *, surplus: int) -> list[Drain]:
    """Who leaves: old ones, then surplus new ones; not-ready before ready, newest first; never below ``replicas`` ready."""
    spare = max(0, sum(i.is_ready for i in (*new, *old)) - group.replicas)
    drains = []
    candidates = [(i, _why_old(i, leaving)) for i in _least_useful_first(old)]
    candidates += [(i, "scale_down") for i in _least_useful_first(new)[:surplus]]
    for instance, reason in candidates:
        if instance.is_ready:
            if spare == 0:
                continue
            spare -= 1
        drains.append(Drain(instance=instance, reason=reason if group.replicas else "scale_down"))
    return drains


def _least_useful_first(instances: list[Instance]) -> list[Instance]:
    return sorted(instances, key=lambda i: (not i.is_ready, i.created_at, i.instance_id), reverse=True)


def _why_old(instance: Instance, leaving: Collection[str]) -> str:
    return "node_draining" if instance.node_id in leaving else "rollout_replace"
