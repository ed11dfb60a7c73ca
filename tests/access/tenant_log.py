"""A store of tenants' lines as every real one must be: it asks the grant for its org, and nothing else."""

from __future__ import annotations

from obslib.access import Grant, Scope
from obslib.testing import MemoryAudit

__all__ = ["LINES", "TenantLog"]

LINES = (b"GET / 200", b"GET /cart 500")


class TenantLog:
    """Counts what leaves it, and what left it before the record of the access was kept."""

    def __init__(self, trail: MemoryAudit | None = None) -> None:
        self._trail = trail
        self.bytes_read = 0
        self.bytes_read_unrecorded = 0

    def read(self, grant: Grant) -> tuple[bytes, ...]:
        """The lines of the grant's org."""
        grant.require(Scope.LOGS_READ)
        size = sum(map(len, LINES))
        self.bytes_read += size
        if self._trail is not None and not self._trail.holds(grant.record_id):
            self.bytes_read_unrecorded += size
        return LINES
