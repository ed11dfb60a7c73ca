"""Signals of the control plane's side of workload logs: what was kept, who follows, and which limit was met.

They count lines, they never hold any; per org nothing is exported, since the store itself answers that.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter, gauge, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, log_event

_CP = ("control-plane",)
_PLANE = Plane.TENANT


@histogram(
    "workload_log_delivery_delay_seconds", serves=("TEN-01",), plane=_PLANE, components=_CP,
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
)  # fmt: skip
def LOG_DELIVERY_DELAY() -> None:
    """From the moment an agent has a line until it is durable and readable; the aim is 99 % within 10 s."""


@counter("workload_log_ingested_lines_total", serves=("WLG-08", "TEN-01"), plane=_PLANE, components=_CP)
def LOG_INGESTED(*, result: Annotated[Literal["stored", "duplicate", "rejected"], c.RESULT]) -> None:
    """Lines sent by agents: kept, there already, or of an instance that the control plane does not have on that node."""


@log_event("workload_log.rejected", serves=("WLG-08",), level=Level.WARN, plane=_PLANE, components=_CP)
def LOG_REJECTED(*, node_id: t.NodeId, instance_id: t.InstanceId, count: t.Count) -> None:
    """A node sent lines of an instance that is not placed on it; none was kept. One of the instances is named."""


@counter("workload_log_store_lost_lines_total", serves=("WLG-07",), plane=_PLANE, components=_CP)
def LOG_STORE_LOST(*, kind: Annotated[Literal["file", "record"], c.KIND]) -> None:
    """Lines found lost in the store: in a broken file as far as they can be counted, or damaged, each time one is met."""


@log_event("workload_log.store_damaged", serves=("WLG-07",), level=Level.ERROR, plane=_PLANE, components=_CP)
def LOG_STORE_DAMAGED(*, reason: c.Reason, count: t.Count, detail: c.Detail) -> None:
    """Part of an org's workload logs is not what was written; readers see a marker where lines are missing."""


@counter("workload_log_tail_throttled_lines_total", serves=("WLG-12",), plane=_PLANE, components=_CP)
def LOG_TAIL_THROTTLED() -> None:
    """Lines left out of a stream because more came than max_tail_rate_lines_per_second; the reader was told how many."""


@gauge("workload_log_streams_active", serves=("WLG-14",), plane=_PLANE, components=_CP)
def LOG_STREAMS_ACTIVE() -> None:
    """Open streams of workload logs."""


@counter("workload_log_stream_rejections_total", serves=("WLG-14",), plane=_PLANE, components=_CP)
def LOG_STREAM_REJECTIONS(*, reason: Annotated[Literal["org_limit", "token_limit"], c.REASON]) -> None:
    """Streams refused because the org or the token had as many as max_log_streams allows."""
