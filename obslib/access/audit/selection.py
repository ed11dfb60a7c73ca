"""Which records of one org's trail are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["AuditSelection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSelection:
    """Filters on the trail; an empty id and a None moment select all. At most ``limit`` of the newest records match."""

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
