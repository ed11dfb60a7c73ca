"""How much of a thing an org may have, judged when a command is validated (platform facts §21).

The figures are in a file, which ``obslib budget --quotas`` reads too, so that a budget relies on what is enforced here.
The log is counted, not a view, since a view may be a moment behind. Commands that are validated at the same moment do not
see each other, so a quota may be passed by as many as there are of them; it bounds growth, it is no lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from miniplatform.control_plane.call import Call
from miniplatform.control_plane.problems import Refused
from obslib.budget import Quotas
from obslib.errors import ErrorClass
from obslib_control_plane import QuotaDimension, problem_of

__all__ = ["COUNTED", "QuotaExceeded", "enforced_in", "require_room"]

COUNTED: Mapping[QuotaDimension, str] = {"max_apps": "app", "max_envs": "env", "max_routes": "route"}
"""What each dimension that is enforced counts."""

_HELD = (
    "SELECT count(*) FILTER (WHERE event_type = %(kind)s || '.created')"
    " - count(*) FILTER (WHERE event_type = %(kind)s || '.deleted') AS held FROM events"
    " WHERE org_id = %(org)s AND event_type IN (%(kind)s || '.created', %(kind)s || '.deleted')"
)


class QuotaExceeded(Refused):
    """The org has as many of something as it may have (409, ``quota_exceeded``)."""

    def __init__(self, dimension: QuotaDimension, *, kind: str, limit: int, held: int) -> None:
        detail = f"the org has {held} {kind}s, and {dimension} allows {limit}; delete one first, or ask an operator for more"
        figures = {"dimension": dimension, "limit": limit, "current_usage": held, "requested_delta": 1}
        details = [{"field": name, "message": str(value)} for name, value in figures.items()]
        super().__init__(problem_of(ErrorClass.QUOTA_EXCEEDED, detail, details=details))
        self.error_class = ErrorClass.QUOTA_EXCEEDED


def enforced_in(path: Path) -> Quotas:
    """The quotas in the file at ``path``; raises SettingsError when it lacks one, or has one that is not enforced."""
    return Quotas.load(path, enforced=COUNTED)


async def require_room(call: Call, org_id: str | None, dimension: QuotaDimension) -> None:
    """Raise QuotaExceeded, and count it, unless the org may have one more."""
    kind, limit = COUNTED[dimension], call.platform.quotas.per_org[dimension]
    row = await call.platform.database.row("event_read", _HELD, {"org": org_id, "kind": kind})
    held = int(row["held"]) if row is not None else 0
    if held >= limit:
        call.platform.telemetry.quotas.refused(dimension)
        raise QuotaExceeded(dimension, kind=kind, limit=limit, held=held)
