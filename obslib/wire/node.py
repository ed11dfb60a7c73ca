"""What an agent says with each heartbeat: how far it is and how its instances are."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from obslib.wire.instance import HealthReport
from obslib.wire.record import Record, Text

__all__ = ["NodeReport", "PlacedReport"]


class PlacedReport(Record):
    """One instance as the agent has it now. ``state`` adds ``preparing``, which never leaves the node otherwise."""

    state: str
    health: HealthReport = HealthReport()
    pid: int | None = None


class NodeReport(Record):
    """An agent's heartbeat. ``loop_error`` is empty while its loop succeeds; ``backoffs`` are seconds by instance."""

    cursor_event_id: int = Field(default=0, ge=0)
    plan_id: str = ""
    instances: Mapping[str, PlacedReport] = Field(default_factory=dict)
    loop_error: Text = ""
    backoffs: Mapping[str, float] = Field(default_factory=dict)
