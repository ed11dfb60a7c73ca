"""What the projector and the scheduler leave in the database with each pass, since they have no API of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from obslib.wire.record import Record, Text

__all__ = ["ComponentReport", "GroupReport"]


class GroupReport(Record):
    """A group the scheduler could not bring to its spec. ``reason`` is one of requirements §3.2."""

    env_id: str
    process_type: str
    reason: str
    detail: Text = ""
    attempt: int = Field(default=0, ge=0)
    retry_in_seconds: float | None = None


class ComponentReport(Record):
    """A pass of the projector or the scheduler. ``errors`` are by projection; ``groups`` only those that are blocked."""

    cursor_event_id: int = Field(default=0, ge=0)
    head_event_id: int = Field(default=0, ge=0)
    loop_error: Text = ""
    groups: Sequence[GroupReport] = ()
    errors: Mapping[str, Text] = Field(default_factory=dict)
