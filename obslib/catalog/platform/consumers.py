"""Signals that more than one consumer of the event log has: cursors, and calls to another component."""

from __future__ import annotations

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import AcrossWorkers, gauge
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Cursor, span_kind

_CONSUMERS = ("scheduler", "agent", "edge")


@gauge("consumer_cursor_event_id", serves=("DBG-2-01",), components=_CONSUMERS, across_workers=AcrossWorkers.MAX)
def CONSUMER_CURSOR(*, consumer: t.ConsumerName) -> None:
    """Last event id this consumer has fully processed; node_id is a constant label on nodes."""


@gauge("consumer_cursor_lag_events", serves=("DBG-2-01",), components=_CONSUMERS, across_workers=AcrossWorkers.MIN)
def CONSUMER_CURSOR_LAG(*, consumer: t.ConsumerName) -> None:
    """Newest event id the consumer knows of minus its cursor, never below 0."""


@gauge("consumer_cursor_lag_seconds", serves=("OWN-08",), components=_CONSUMERS, across_workers=AcrossWorkers.MIN)
def CONSUMER_CURSOR_LAG_SECONDS(*, consumer: t.ConsumerName) -> None:
    """Seconds since the consumer last stood at the newest event it knows of."""


def _cursor(consumer: str) -> Cursor:
    return Cursor(
        name=f"{consumer}.cursor", help=f"How far the {consumer} has read the event log.", plane=Plane.COMMON,
        components=(consumer,), serves=("DBG-2-01",), consumer=consumer, position=CONSUMER_CURSOR,
        lag_events=CONSUMER_CURSOR_LAG, lag_seconds=CONSUMER_CURSOR_LAG_SECONDS,
    )  # fmt: skip


SCHEDULER_CURSOR = _cursor("scheduler")
AGENT_CURSOR = _cursor("agent")
EDGE_CURSOR = _cursor("edge")


@span_kind("external.call", serves=("TRC-06",))
def EXTERNAL_CALL(*, operation: c.OperationName, peer_component: t.PeerComponent, result: t.ResultName = "") -> None:
    """One call to another component or a service outside; no query, no body."""
