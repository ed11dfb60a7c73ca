"""Reading an org's lines through the audited door, as a handler would; an operator's emergency, and time that stands still."""

from __future__ import annotations

from typing import Any

from obslib.access import Actor, Auditor, Emergency, Resource, Scope
from obslib.testing import FixedClock, RecordedObservability
from tests.access.tenant_log import TenantLog

__all__ = ["ENV", "OURS", "THEIRS", "clock_of", "in_emergency", "read"]

OURS = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
THEIRS = "org_01BX5ZZKBKACTAV9WEVGEMMVRZ"
ENV = Resource(type="env", id="env_01ARZ3NDEKTSV4RRFFQ69G5FAV", path="/v1/orgs/acme/apps/web/envs/prod/logs")


def in_emergency(obs: RecordedObservability, seconds: float = 600.0) -> Emergency:
    """A declaration that is good for a while."""
    now = obs.clock.now()
    return Emergency.declared(reason="INC-7: customer cannot log in", expires_at=now + seconds, now=now)


def clock_of(obs: RecordedObservability) -> FixedClock:
    """The clock that moves only when told to."""
    assert isinstance(obs.clock, FixedClock)
    return obs.clock


async def read(auditor: Auditor, actor: Actor, log: TenantLog, org_id: str = OURS, **options: Any) -> None:
    """Read an org's lines as a handler would."""
    async with auditor.reading(actor, Scope.LOGS_READ, org_id, action="logs.query", resource=ENV, **options) as reading:
        lines = log.read(reading.grant)
        reading.count(len(lines))
