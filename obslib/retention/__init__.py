"""How long records are kept, who removes them, and what may never be shortened."""

from __future__ import annotations

from obslib.retention.append_only import append_only
from obslib.retention.event_log import Discard, EventLogGuard
from obslib.retention.policy import Decided, Kept, Policy
from obslib.retention.purge import Purgeable, PurgedKind, purge

__all__ = [
    "Decided", "Discard", "EventLogGuard", "Kept", "Policy", "Purgeable", "PurgedKind", "append_only", "purge",
]  # fmt: skip
