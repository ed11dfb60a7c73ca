"""Signals about the audit trail: what was put on record, and what was refused because it could not be."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, log_event

_CP = ("control-plane",)
_PLANE = Plane.CONTROL_PLANE


@counter("audit_records_total", serves=("OWN-07", "STN-07", "WLG-10"), plane=_PLANE, components=_CP)
def AUDIT_RECORDS(*, result: c.Outcome) -> None:
    """Audit records offered to the trail, by whether it kept them."""


@counter("audit_refused_reads_total", serves=("OWN-07",), plane=_PLANE, components=_CP)
def AUDIT_REFUSED_READS(
    *,
    reason: Annotated[Literal["write_failed", "timeout", "connection_lost", "wrong_head", "disk_full", "closed"], c.REASON],
) -> None:
    """Accesses refused because they could not be put on record first, by what the trail failed at."""


@log_event("audit.refused_read", serves=("OWN-07",), level=Level.ERROR, plane=_PLANE, components=_CP)
def AUDIT_REFUSED_READ(*, audit_id: t.AuditId, action: t.Action, reason: c.Reason) -> None:
    """An access was refused because it could not be put on record."""


@log_event("audit.record_lost", serves=("OWN-07", "WLG-10"), level=Level.ERROR, plane=_PLANE, components=_CP)
def AUDIT_RECORD_LOST(*, audit_id: t.AuditId, action: t.Action, reason: c.Reason, count: t.Count = 0) -> None:
    """What came of an access could not be put on record; audit_id names the record of its beginning or the one lost."""
