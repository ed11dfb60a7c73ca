"""What happened, as lines of a description: events in order, and an instance's life told from them (DBG-3-01)."""

from __future__ import annotations

from collections.abc import Sequence

from obslib.wire import EventRecord

__all__ = ["event_lines", "timeline"]

_TOLD = (
    "status", "boot_id", "reason_code", "reason_detail", "termination_class", "exit_code", "restarts", "is_final",
    "desired_state", "reason", "node_id", "release_id", "deploy_id",
)  # fmt: skip


def event_lines(events: Sequence[EventRecord], *, limit: int = 10) -> list[dict[str, object]]:
    """The newest ``limit`` events, oldest first, without their payloads."""
    return [
        {
            "event_id": event.event_id,
            "at": event.occurred_at,
            "event_type": event.event_type,
            "aggregate_id": event.aggregate_id,
            "actor_id": event.actor_id,
        }
        for event in events[-limit:]
    ]


def timeline(events: Sequence[EventRecord], instance_id: str) -> list[dict[str, object]]:
    """The life of an instance: ``allocated``, each boot's statuses and end, and each change of what was wanted."""
    return [
        {
            "event_id": event.event_id,
            "at": event.occurred_at,
            "event_type": event.event_type,
            "what": _what(event),
            **{key: event.payload[key] for key in _TOLD if event.payload.get(key) not in (None, "")},
        }
        for event in events
        if event.aggregate_id == instance_id
    ]


def _what(event: EventRecord) -> str:
    if event.event_type == "instance.status_changed":
        return str(event.payload.get("status", "unknown"))
    if event.event_type == "instance.desired_state_changed":
        return f"desired {event.payload.get('desired_state', 'unknown')}"
    return event.event_type.partition(".")[2]
