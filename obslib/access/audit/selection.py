"""Which accesses of one org's trail are asked for, and what one of them is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from obslib.access.audit.record import AuditRecord

__all__ = ["Access", "AuditSelection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access: the record of its beginning (or the only one), and that of its end when it has one."""

    opened: AuditRecord
    closed: AuditRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSelection:
    """Filters on the trail; an empty id and a None moment select all. At most ``limit`` of the newest accesses match."""

    app_id: str = ""
    env_id: str = ""
    route_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50

    def parameters(self) -> dict[str, object]:
        """The filters by the names a query uses."""
        return {
            "app": self.app_id, "env": self.env_id, "route": self.route_id, "since": self.since, "until": self.until,
            "limit": self.limit,
        }  # fmt: skip
