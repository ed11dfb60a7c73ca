"""Audit records to keep."""

from __future__ import annotations

from typing import Any

from obslib.access import AuditRecord, Phase

OURS = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
THEIRS = "org_01BX5ZZKBKACTAV9WEVGEMMVRZ"


def a_record(number: int = 0, **different: Any) -> AuditRecord:
    """The record of a log query; ``number`` tells several apart."""
    facts: dict[str, Any] = {
        "timestamp": f"2026-01-31T09:30:{number:02}.000000Z", "event_id": f"aud_{number:026}", "phase": Phase.OPEN,
        "org_id": OURS, "subject_org_id": OURS, "request_id": f"req_{number}", "actor_type": "user", "actor_id": "usr_1",
        "actor_org_id": OURS, "scopes": ("logs:read",), "scope": "logs:read", "action": "logs.query", "resource_type": "env",
        "selectors": {"env_id": "env_1", "text": "größer ☃"}, "decision": "allow", "reason": "scope_held", "result": "pending",
        "policy_version": "1",
    }  # fmt: skip
    return AuditRecord(**{**facts, **different})
