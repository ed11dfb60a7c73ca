"""One instance as a line of a description."""

from __future__ import annotations

from obslib.debug.facts import Facts
from obslib.wire import InstanceRecord

__all__ = ["health_section", "placed"]


def placed(facts: Facts, instance: InstanceRecord) -> dict[str, object]:
    """State, node, age and last reason. ``is_current`` is false while its agent is silent: then this is what it last said."""
    node = facts.nodes.get(instance.node_id)
    reason, kind = facts.last_reason(instance)
    report = node.report.instances.get(instance.instance_id) if node and node.report else None
    return {
        "instance_id": instance.instance_id,
        "process_type": instance.process_type,
        "release_id": instance.release_id,
        "state": instance.status or "allocated",
        "desired_state": instance.desired_state,
        "desired_reason": instance.desired_reason,
        "node_id": instance.node_id,
        "node_name": node.name if node else "",
        "address": instance.address,
        "port": instance.port,
        "boot_id": instance.boot_id,
        "pid": report.pid if report else None,
        "restarts": instance.restarts,
        "age_seconds": facts.age(instance.created_at),
        "state_age_seconds": facts.age(instance.status_changed_at),
        "last_reason": reason,
        "termination_class": kind,
        "health": health_section(facts, instance),
        "is_current": node is not None and not facts.is_silent(node.seen_at),
        "reported_age_seconds": facts.age(node.seen_at if node else None),
    }


def health_section(facts: Facts, instance: InstanceRecord) -> dict[str, object]:
    """The last health check outcome (DBG-1-05); ``unknown`` when the agent sent none or has gone silent since."""
    health, node = facts.health(instance), facts.nodes.get(instance.node_id)
    is_known = health is not None and node is not None and not facts.is_silent(node.seen_at)
    return {
        "last_result": health.last_result if health and is_known else "unknown",
        "consecutive_failures": health.consecutive_failures if health else 0,
        "last_checked_at": health.last_checked_at if health else None,
        "age_seconds": facts.age(health.last_checked_at if health else None),
        "reason": health.reason if health else "",
    }
