"""An audit trail in memory, for tests of what must be on record."""

from __future__ import annotations

import asyncio

from obslib.access import GENESIS, AuditRecord, Link, WrongHead, digest

__all__ = ["MemoryAudit"]


class MemoryAudit:
    """Keeps its links in lists, one per chain."""

    def __init__(self) -> None:
        self.chains: dict[str, list[Link]] = {}

    async def head(self, org_id: str) -> str:
        """The newest hash."""
        chain = self.chains.get(org_id)
        return chain[-1].hash if chain else GENESIS

    async def append(self, record: AuditRecord, expected_head: str) -> str:
        """Add the record, one turn of the event loop later."""
        await asyncio.sleep(0)
        if await self.head(record.org_id) != expected_head:
            raise WrongHead(record.org_id)
        chain = self.chains.setdefault(record.org_id, [])
        made = digest(expected_head, record)
        chain.append(Link(seq=len(chain) + 1, previous=expected_head, hash=made, record=record))
        return made

    def records(self, org_id: str) -> list[AuditRecord]:
        """What one chain holds."""
        return [link.record for link in self.chains.get(org_id, [])]

    def holds(self, event_id: str) -> bool:
        """Whether a record of this id is kept."""
        return any(record.event_id == event_id for org_id in self.chains for record in self.records(org_id))
