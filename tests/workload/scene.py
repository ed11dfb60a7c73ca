"""Orgs with instances, the lines they write, and readers whose access is on record."""

from __future__ import annotations

from typing import Any

from obslib.access import Actor, ActorType, Auditor, Grant, Resource, Scope
from obslib.testing import MemoryAudit, observability
from obslib.testing.clock import EPOCH
from obslib.wire import LogEntry, rfc3339
from obslib.workload import Stamp, StampedEntry

__all__ = ["EPOCH", "Readers", "entry", "org", "stamp", "stamped"]


def org(number: int) -> str:
    """The id of the ``number``-th org."""
    return f"org_{number:026d}"


def stamp(of: int = 1, *, env: str = "prod", process_type: str = "web", node_id: str = "node_1") -> Stamp:
    """Where an instance of the ``of``-th org belongs; every org has envs of the same names, under its own ids."""
    return Stamp(org_id=org(of), app_id=f"app_{of}", env_id=f"env_{of}_{env}", process_type=process_type, node_id=node_id)


def entry(seq: int, line: bytes | str = b"", *, at: float = 0.0, instance: str = "inst_1", **more: Any) -> LogEntry:
    """The ``seq``-th line of an instance's first boot, ``at`` seconds after a test's time begins."""
    raw = line.encode() if isinstance(line, str) else line
    given = {"boot_id": "boot_1", "stream": "stdout", "line": raw, **more}
    return LogEntry(instance_id=instance, seq=seq, ts=rfc3339(EPOCH + at), **given)


def stamped(seq: int, line: bytes | str = b"", *, where: Stamp | None = None, **more: Any) -> StampedEntry:
    """The same, stamped."""
    return StampedEntry(where or stamp(), entry(seq, line, **more))


class Readers:
    """Grants for reading, through a real Auditor with its trail in memory."""

    def __init__(self) -> None:
        self._auditor = Auditor(MemoryAudit(), observability("control-plane"))

    async def of(self, number: int, scope: Scope = Scope.LOGS_READ) -> Grant:
        """A member of the ``number``-th org who may use ``scope`` there."""
        member = Actor(actor_type=ActorType.USER, actor_id="usr_1", org_id=org(number), scopes=frozenset({scope}))
        return (
            await self._auditor.reading(member, scope, org(number), action="logs.query", resource=Resource(type="env"))
        ).grant
