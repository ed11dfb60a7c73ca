"""View records of how far everything has come: events, projections, consumers, components."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from obslib.wire.component import ComponentReport
from obslib.wire.moment import Moment
from obslib.wire.record import Record, Text

__all__ = ["ComponentRecord", "ConsumerRecord", "EventRecord", "ProjectionRecord"]


class EventRecord(Record):
    """An event of the log."""

    event_id: int
    event_type: str
    aggregate_type: str
    aggregate_id: str
    occurred_at: Moment | None = None
    aggregate_seq: int = 0
    actor_type: str = ""
    actor_id: str = ""
    org_id: str | None = None
    app_id: str | None = None
    env_id: str | None = None
    request_id: str = ""
    correlation_id: str | None = None
    traceparent: str | None = None
    payload: Mapping[str, object] = Field(default_factory=dict)


class ProjectionRecord(Record):
    """A projection's checkpoint. ``newest_event_id`` is the newest event *it would consume* (platform facts §5)."""

    projection: str
    last_applied_event_id: int
    newest_event_id: int = 0
    updated_at: Moment | None = None
    is_critical: bool = False
    last_error: Text = ""

    @property
    def lag_events(self) -> int:
        """Event ids between the checkpoint and the newest event it would consume; an upper bound of the events left."""
        return max(0, self.newest_event_id - self.last_applied_event_id)


class ConsumerRecord(Record):
    """A reader of the event log with a cursor: the scheduler, an agent or an edge. ``backoffs`` are seconds by key."""

    consumer: str
    node_id: str = ""
    name: str = ""
    cursor_event_id: int = 0
    head_event_id: int = 0
    seen_at: Moment | None = None
    last_error: Text = ""
    backoffs: Mapping[str, float] = Field(default_factory=dict)

    @property
    def lag_events(self) -> int:
        """Event ids between the cursor and the newest event this consumer acts on, never below 0."""
        return max(0, self.head_event_id - self.cursor_event_id)


class ComponentRecord(Record):
    """The last pass of the projector or the scheduler; ``seen_at`` is ``None`` when there was never one."""

    component: str
    seen_at: Moment | None = None
    report: ComponentReport = ComponentReport()
