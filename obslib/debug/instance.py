"""``platform describe instance``: where it is, how it is, and why it restarted (DBG-1-05, DBG-3-01 to DBG-3-03)."""

from __future__ import annotations

from collections.abc import Sequence

from obslib.access import Grant, Resource, not_found
from obslib.debug.conditions import conditions
from obslib.debug.facts import Facts, gather
from obslib.debug.placed import health_section
from obslib.debug.timeline import event_lines, timeline
from obslib.debug.verdict import judge_instance
from obslib.debug.views import Views
from obslib.wire import EventRecord, InstanceRecord

__all__ = ["describe_instance", "instance_description"]

_FIGURES = (
    "memory_limit_bytes", "memory_peak_bytes", "memory_usage_bytes", "memory_cap_exceeded", "cpu_throttled_seconds",
    "cpu_pressure_ratio", "sampled_at",
)  # fmt: skip
"""What is known of a boot's last minute; ``None`` where nobody measured it, or where the figures are of another boot."""


async def describe_instance(
    views: Views,
    grant: Grant,
    env_id: str,
    instance_id: str,
    *,
    now: float,
    silent_after_s: float = 60.0,
    patience_s: float = 120.0,
) -> dict[str, object]:
    """Gather and describe an instance of an env; needs ``envs:read``. Raises AccessDenied for one that is not there."""
    facts = await gather(views, grant, env_id, now=now, silent_after_s=silent_after_s, patience_s=patience_s)
    if all(instance.instance_id != instance_id for instance in facts.instances):
        raise not_found(Resource(type="instance", id=instance_id))
    events = await views.events(grant, env_id, aggregate_ids=[instance_id], limit=200)
    return instance_description(facts, instance_id, events)


def instance_description(facts: Facts, instance_id: str, events: Sequence[EventRecord]) -> dict[str, object]:
    """The whole description of one of the facts' instances; ``events`` are its own, oldest first."""
    instance = next(instance for instance in facts.instances if instance.instance_id == instance_id)
    judgement = judge_instance(facts, instance)
    since = max((m for m in (instance.status_changed_at, instance.desired_changed_at) if m), default=None)
    node = facts.nodes.get(instance.node_id)
    return {
        "kind": "instance",
        "id": instance.instance_id,
        "process_type": instance.process_type,
        "desired": {
            "state": instance.desired_state,
            "reason": instance.desired_reason,
            "release_id": instance.release_id,
            "deploy_id": instance.deploy_id,
            "event_id": instance.desired_event_id,
        },
        "current": {
            "state": instance.status or "allocated",
            "boot_id": instance.boot_id,
            "node_id": instance.node_id,
            "node_name": node.name if node else "",
            "address": instance.address,
            "port": instance.port,
            "restarts": instance.restarts,
            "is_final": instance.is_final,
            "age_seconds": facts.age(instance.created_at),
            "state_age_seconds": facts.age(instance.status_changed_at),
            "is_current": node is not None and not facts.is_silent(node.seen_at),
            "reported_age_seconds": facts.age(node.seen_at if node else None),
            "backoff_seconds": node.report.backoffs.get(instance_id) if node and node.report else None,
        },
        "health": health_section(facts, instance),
        "termination": _termination(facts, instance, events),
        "timeline": timeline(events, instance_id),
        "convergence": judgement.as_dict(),
        "conditions": conditions(judgement, since),
        "last_transition": since,
        "recent_events": event_lines(events),
        "related": {
            "env_id": facts.env.env_id,
            "app_id": facts.env.app_id,
            "org_id": facts.env.org_id,
            "node_id": instance.node_id,
            "release_id": instance.release_id,
            "deploy_id": instance.deploy_id,
            "assignment_id": instance.assignment_id,
            "route_ids": [route.route_id for route in facts.routes if route.process_type == instance.process_type],
        },
    }


def _termination(facts: Facts, instance: InstanceRecord, events: Sequence[EventRecord]) -> dict[str, object] | None:
    """The last end of the instance, or ``None`` when it never ended: as reported, and what was wanted of it then."""
    if instance.termination_class or instance.reason_code:
        return _end(instance.model_dump(), instance.status_changed_at, facts, instance)
    for event in reversed(events):
        if event.payload.get("termination_class") or event.payload.get("reason_code"):
            return _end(dict(event.payload), event.occurred_at, facts, instance)
    return None


def _end(found: dict[str, object], at: str | None, facts: Facts, instance: InstanceRecord) -> dict[str, object]:
    boot_id = found.get("boot_id") or ""
    end = instance.last_end
    measured = end.report.model_dump() if end and end.boot_id == boot_id else {}
    return {
        "termination_class": found.get("termination_class") or "unknown",
        "reason_code": found.get("reason_code") or "",
        "reason_detail": found.get("reason_detail") or "",
        "exit_code": found.get("exit_code"),
        "boot_id": boot_id,
        "release_id": instance.release_id,
        "at": at,
        "age_seconds": facts.age(at),
        **{figure: measured.get(figure) for figure in _FIGURES},
    }
