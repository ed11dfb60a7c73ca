"""The links on a node: whether the instance is booted, ready, and passes its health check."""

from __future__ import annotations

from obslib.debug.chain import Finding, Link, State
from obslib.debug.facts import Facts, has_ended
from obslib.debug.visible import visible_error
from obslib.wire import InstanceRecord, TerminationReport

__all__ = ["booted", "healthy", "ready"]

_FAILURES = 3
"""Failed checks in a row that make an instance unhealthy (platform facts §8), or ends in a row; fewer are a wobble."""

_COMES_BACK = "oom_killed"
"""The reason that one end is enough for: what has outgrown its memory does so again."""


def booted(facts: Facts, instance: InstanceRecord) -> Finding:
    """Whether the agent has brought the instance up, ready or not."""
    if instance.status in ("booting", "ready", "draining"):
        how = "has begun" if instance.status == "booting" else f"is {instance.status}"
        return _found(Link.BOOTED, State.OK, instance, f"boot {instance.boot_id or '(unknown)'} {how}")
    reason, kind = facts.last_reason(instance)
    if kind == "boot_failure":
        return _failed(Link.BOOTED, facts, instance, "does not boot", reason)
    if instance.status:
        return _found(Link.BOOTED, State.OK, instance, f"it booted and is {instance.status}")
    return _unreachable_node(Link.BOOTED, facts, instance) or _not_begun(facts, instance)


def _not_begun(facts: Facts, instance: InstanceRecord) -> Finding:
    node = facts.nodes[instance.node_id]
    cursor = node.report.cursor_event_id if node.report else 0
    evidence: dict[str, object] = {
        "agent_cursor_event_id": cursor,
        "allocated_event_id": instance.desired_event_id,
        "agent_age_seconds": facts.age(node.seen_at),
        "waiting_seconds": facts.age(instance.created_at),
    }
    if node.report and node.report.loop_error:
        evidence["loop_error"] = visible_error(node.report.loop_error, facts)
        return _found(
            Link.BOOTED, State.FAILING, instance, f"waits for the agent of {node.name}, which fails", "agent_failing", evidence
        )
    if cursor < instance.desired_event_id:
        cause, reason = f"waits for the agent of {node.name}, which has not read the plan yet", "agent_behind"
    else:
        cause, reason = f"waits for the agent of {node.name}, which has it in its plan", "boot_pending"
    state = State.FAILING if facts.is_overdue(instance.created_at) else State.WAITING
    return _found(Link.BOOTED, state, instance, cause, reason, evidence)


def ready(facts: Facts, instance: InstanceRecord) -> Finding:
    """Whether the instance is ready, as far as its agent still tells."""
    reason, _ = facts.last_reason(instance)
    if has_ended(instance) or (instance.status in ("failed", "stopped") and reason):
        return _failed(Link.READY, facts, instance, "was given up" if has_ended(instance) else "failed", reason)
    unknown = _unreachable_node(Link.READY, facts, instance)
    if unknown is not None:
        return unknown
    failures = facts.failures(instance)
    if instance.status == "ready" and (len(failures) >= _FAILURES or (failures and reason == _COMES_BACK)):
        times = "once" if len(failures) == 1 else f"{len(failures)} times"
        return _failed(Link.READY, facts, instance, f"is up again, but ended {times} lately", reason)
    if instance.status == "ready":
        return _found(Link.READY, State.OK, instance, f"ready at {instance.address}:{instance.port}")
    if instance.restarts and reason:
        return _failed(Link.READY, facts, instance, f"was restarted {instance.restarts} times and is not ready", reason)
    health = facts.health(instance)
    evidence: dict[str, object] = {
        "status": instance.status,
        "status_age_seconds": facts.age(instance.status_changed_at),
        "health": health.model_dump() if health else None,
    }
    state = State.FAILING if facts.is_overdue(instance.status_changed_at) else State.WAITING
    cause = f"it is {instance.status or 'not begun'}"
    return _found(Link.READY, state, instance, cause, "start_timeout" if state is State.FAILING else "not_ready_yet", evidence)


def healthy(facts: Facts, instance: InstanceRecord) -> Finding:
    """Whether the instance's own health check passes now."""
    unknown = _unreachable_node(Link.HEALTHY, facts, instance)
    if unknown is not None:
        return unknown
    health = facts.health(instance)
    if health is None or health.last_result == "unknown":
        state = State.WAITING if facts.is_fresh(instance) else State.UNKNOWN
        return _found(Link.HEALTHY, state, instance, "the agent has not reported a health check", "health_unknown")
    evidence: dict[str, object] = {**health.model_dump(), "age_seconds": facts.age(health.last_checked_at)}
    if health.last_result == "pass":
        return _found(Link.HEALTHY, State.OK, instance, "its health check passes", evidence=evidence)
    is_down = health.consecutive_failures >= _FAILURES
    times = "once" if health.consecutive_failures == 1 else f"{health.consecutive_failures} times in a row"
    cause = f"its health check failed {times}"
    state = State.FAILING if is_down else State.WAITING
    return _found(Link.HEALTHY, state, instance, cause, "healthcheck_failed", evidence)


def _unreachable_node(link: Link, facts: Facts, instance: InstanceRecord) -> Finding | None:
    node = facts.nodes.get(instance.node_id)
    age = facts.age(node.seen_at) if node else None
    if node is not None and node.state != "offline" and not facts.is_silent(node.seen_at):
        return None
    heard = "was never heard" if age is None else f"was last heard {age:.0f} s ago"
    return _found(
        link,
        State.UNKNOWN,
        instance,
        f"its agent on {node.name if node else instance.node_id or 'no node'} {heard}",
        "node_offline" if node and node.state == "offline" else "node_silent",
        {"agent_age_seconds": age, "node_id": instance.node_id, "last_status": instance.status},
        since=node.seen_at if node else None,
    )


def _failed(link: Link, facts: Facts, instance: InstanceRecord, what: str, reason: str) -> Finding:
    _, kind = facts.last_reason(instance)
    node = facts.nodes.get(instance.node_id)
    end = instance.last_end.report if instance.last_end and instance.last_end.report.reason_code == reason else None
    evidence: dict[str, object] = {
        "status": instance.status,
        "termination_class": kind or "unknown",
        "reason_detail": instance.reason_detail,
        "exit_code": instance.exit_code,
        "restarts": instance.restarts,
        "is_final": instance.is_final,
        "status_age_seconds": facts.age(instance.status_changed_at),
        "backoff_seconds": node.report.backoffs.get(instance.instance_id) if node and node.report else None,
    }
    cause = f"{what}: {reason or kind or 'unknown'}"
    if end is not None and end.memory_limit_bytes is not None:
        evidence |= {name: getattr(end, name) for name in ("memory_limit_bytes", "memory_peak_bytes", "memory_usage_bytes")}
        evidence["release_id"] = instance.release_id
        cause += _memory(end, instance) if reason == _COMES_BACK else ""
    failures = facts.failures(instance)
    since = failures[0].occurred_at if failures else instance.status_changed_at
    return _found(link, State.FAILING, instance, cause, reason or "unknown", evidence, since=since)


def _memory(end: TerminationReport, instance: InstanceRecord) -> str:
    """The figures an OOM kill is explained by: what it was allowed, what it took, and who allowed no more."""
    peak = "an unknown peak" if end.memory_peak_bytes is None else f"a peak of {_mebibytes(end.memory_peak_bytes)}"
    return f", with {peak} against the cap of {_mebibytes(end.memory_limit_bytes or 0)} that {instance.release_id} sets"


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"


def _found(
    link: Link,
    state: State,
    instance: InstanceRecord,
    cause: str,
    reason: str = "",
    evidence: dict[str, object] | None = None,
    *,
    since: str | None = None,
) -> Finding:
    return Finding(
        link=link,
        state=state,
        cause=f"{instance.instance_id} {cause}" if state is State.FAILING else f"{instance.instance_id}: {cause}",
        reason_code=reason,
        subject=instance.instance_id,
        evidence={"node_id": instance.node_id, **(evidence or {})},
        since=since,
    )
