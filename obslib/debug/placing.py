"""The first two links: whether the env's wish is known, and whether every replica has been given a node."""

from __future__ import annotations

from collections.abc import Sequence

from obslib.debug.chain import Finding, Link, State
from obslib.debug.facts import Facts, has_ended
from obslib.debug.visible import error_class
from obslib.wire import GroupRecord, InstanceRecord

__all__ = ["allocated", "desired", "left_over", "subjects"]

_OF_ITSELF = ("oom", "crash", "boot_failure", "unknown", "")
"""Termination classes of an instance that failed, rather than being stopped for a purpose."""

_FOR_TENANTS = frozenset({"no_capacity_memory", "no_nodes_active", "org_quota_exceeded"})
"""Reasons whose detail is the scheduler's own sentence about room; any other reason's is the text of an error."""

_BEHIND = 5_000
"""Events of lag above which views are called out of date (platform facts §19)."""


def desired(facts: Facts, group: GroupRecord) -> Finding:
    """Whether a release is desired, and whether the views that say so are up to date."""
    stale = _staleness(facts)
    if stale is not None:
        return stale
    if not group.release_id:
        return Finding(
            link=Link.DESIRED,
            state=State.FAILING,
            cause=f"{group.process_type} has a scale but no release",
            reason_code="no_release",
            subject=group.process_type,
        )
    wish = f"{group.replicas} x {group.process_type} of {group.release_id}"
    return Finding(link=Link.DESIRED, state=State.OK, cause=wish, subject=group.process_type)


def _staleness(facts: Facts) -> Finding | None:
    behind = [view for view in facts.projections if view.is_critical and view.lag_events]
    projector = facts.components.get("projector")
    age = facts.age(projector.seen_at if projector else None)
    is_silent = facts.is_silent(projector.seen_at if projector else None)
    if not behind or not (is_silent or max(view.lag_events for view in behind) > _BEHIND):
        return None
    last = max(behind, key=lambda view: view.lag_events)
    return Finding(
        link=Link.DESIRED,
        state=State.UNKNOWN,
        cause=f"the views are out of date: {last.projection} has up to {last.lag_events} events to apply"
        + (f" and the projector was {_heard(age)}" if is_silent else ""),
        reason_code="projector_silent" if is_silent else "projection_lag",
        evidence={"projections": {view.projection: view.lag_events for view in behind}, "projector_age_seconds": age},
        since=projector.seen_at if projector and is_silent else None,
    )


def subjects(facts: Facts, group: GroupRecord) -> Sequence[InstanceRecord]:
    """The instances that stand for the group's replicas: those of its release that should run, else the newest given up.

    One that was given up since the wish stands in for a replica until it is replaced: why it failed is why the
    replica is missing.
    """
    mine = [
        instance
        for instance in facts.instances
        if (instance.process_type, instance.release_id) == (group.process_type, group.release_id)
    ]
    running = [instance for instance in mine if instance.desired_state == "running" and not has_ended(instance)]
    spent = [i for i in mine if _was_given_up(i) and i.status_event_id > group.event_id]
    spent.sort(key=lambda instance: instance.status_event_id, reverse=True)
    return running + spent[: max(0, group.replicas - len(running))]


def _was_given_up(instance: InstanceRecord) -> bool:
    return has_ended(instance) and instance.status == "failed" and instance.termination_class in _OF_ITSELF


def allocated(facts: Facts, group: GroupRecord) -> Finding:
    """Whether every replica has a node; if not, what the scheduler says, or that it says nothing."""
    have, want = len(subjects(facts, group)), group.replicas
    evidence: dict[str, object] = {"replicas": want, "allocated": have}
    if have >= want:
        return _finding(State.OK, group, f"{have} of {want} allocated", "", evidence)
    missing = f"{want - have} of {want} {group.process_type} not allocated"
    return _blocked(facts, group, missing, evidence) or _scheduler(facts, group, missing, evidence)


def left_over(facts: Facts, leaving: Sequence[InstanceRecord]) -> Finding | None:
    """More is allocated than desired: how many are still to end, and which nodes cannot say whether they have.

    Such a node is also why others are being started elsewhere; ``None`` when nothing leaves.
    """
    if not leaving:
        return None
    nodes = [facts.nodes[name] for name in {instance.node_id for instance in leaving} if name in facts.nodes]
    silent = sorted((n for n in nodes if n.state == "offline" or facts.is_silent(n.seen_at)), key=lambda n: n.name)
    note = f"{len(leaving)} old {'instance is on its' if len(leaving) == 1 else 'instances are on their'} way out"
    reason = "node_offline" if any(n.state == "offline" for n in silent) else "node_silent" if silent else "old_instances_leave"
    return Finding(
        link=Link.ALLOCATED,
        state=State.WAITING,
        cause=f"{note}; {', '.join(node.name for node in silent)} does not answer" if silent else note,
        reason_code=reason,
        subject=leaving[0].instance_id,
        evidence={
            "instances": [i.instance_id for i in leaving],
            "silent_nodes": {n.name: facts.age(n.seen_at) for n in silent},
        },
        since=min((node.seen_at for node in silent if node.seen_at), default=None),
    )


def _blocked(facts: Facts, group: GroupRecord, missing: str, evidence: dict[str, object]) -> Finding | None:
    scheduler = facts.components.get("scheduler")
    for report in scheduler.report.groups if scheduler else ():
        if (report.env_id, report.process_type) == (facts.env.env_id, group.process_type):
            detail = report.detail if report.reason in _FOR_TENANTS else error_class(report.detail)
            evidence |= {"detail": detail, "attempt": report.attempt, "retry_in_seconds": report.retry_in_seconds}
            return _finding(State.FAILING, group, f"{missing}: {report.reason}", report.reason, evidence)
    deploy = facts.deploy
    if deploy is not None and deploy.deploy_id == group.deploy_id and deploy.status == "failed":
        evidence |= {"deploy_id": deploy.deploy_id, "deploy_status": deploy.status}
        return _finding(State.FAILING, group, f"{missing}: the deploy failed", deploy.reason or "deploy_failed", evidence)
    return None


def _scheduler(facts: Facts, group: GroupRecord, missing: str, evidence: dict[str, object]) -> Finding:
    scheduler = facts.components.get("scheduler")
    age = facts.age(scheduler.seen_at if scheduler else None)
    evidence["scheduler_age_seconds"] = age
    if scheduler is None or facts.is_silent(scheduler.seen_at):
        cause, since = f"{missing}, and the scheduler was {_heard(age)}", scheduler.seen_at if scheduler else None
        return _finding(State.FAILING, group, cause, "scheduler_silent", evidence, since=since)
    evidence |= {"scheduler_cursor_event_id": scheduler.report.cursor_event_id, "wanted_since_event_id": group.event_id}
    if scheduler.report.loop_error:
        evidence["loop_error"] = error_class(scheduler.report.loop_error)
        return _finding(State.FAILING, group, f"{missing}: the scheduler's loop fails", "scheduler_failing", evidence)
    if scheduler.report.cursor_event_id < group.event_id:
        return _finding(
            State.WAITING, group, f"{missing}: the scheduler has not read the change yet", "scheduler_behind", evidence
        )
    if facts.deploy is not None and facts.is_overdue(facts.deploy.changed_at or facts.deploy.created_at):
        return _finding(State.FAILING, group, f"{missing}, without a reason given", "no_progress", evidence)
    return _finding(State.WAITING, group, missing, "allocating", evidence)


def _finding(
    state: State, group: GroupRecord, cause: str, reason: str, evidence: dict[str, object], *, since: str | None = None
) -> Finding:
    return Finding(
        link=Link.ALLOCATED,
        state=state,
        cause=cause,
        reason_code=reason,
        evidence=evidence,
        subject=group.process_type,
        since=since,
    )


def _heard(age: float | None) -> str:
    return "never heard" if age is None else f"last heard {age:.0f} s ago"
