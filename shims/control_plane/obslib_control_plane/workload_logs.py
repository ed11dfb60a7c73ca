"""Workload logs on their way in and out: who may follow, what was kept, and what was lost or left out (WLG-08 to WLG-14)."""

from __future__ import annotations

from collections.abc import Sequence

from obslib import Observability
from obslib.access import Grant
from obslib.catalog.platform import log_store as s
from obslib.workload import Damage, Ingest, Limits, LogStore, Resolver, Selection, Streams, Tail

__all__ = ["WorkloadLogs"]


class WorkloadLogs:
    """The signals and the limits of workload logs, bound once; give ``damaged`` to the store as its ``on_damage``."""

    def __init__(self, obs: Observability, limits: Limits) -> None:
        self._obs = obs
        self.limits = limits
        rejections = obs.metrics[s.LOG_STREAM_REJECTIONS]
        self.streams = Streams(limits, on_rejected=lambda reason: rejections.labels(reason=reason).inc())
        obs.metrics[s.LOG_STREAMS_ACTIVE].callback(lambda: self.streams.active)
        self._delay = obs.metrics[s.LOG_DELIVERY_DELAY].labels()
        self._ingested = obs.metrics[s.LOG_INGESTED]
        self._throttled = obs.metrics[s.LOG_TAIL_THROTTLED].labels()
        self._lost = obs.metrics[s.LOG_STORE_LOST]

    def ingest(self, store: LogStore, resolve: Resolver) -> Ingest:
        """Takes what nodes send into ``store``; ``resolve`` is the host's own view of instances."""
        return Ingest(store, resolve=resolve, clock=self._obs.clock, watch=self)

    def tail(self, store: LogStore, grant: Grant, selection: Selection, *, after: int | None) -> Tail:
        """Follows ``selection`` for one reader, from the position ``after`` when it comes back."""
        return Tail(
            store, grant, selection, limits=self.limits, clock=self._obs.clock, after=after, on_throttled=self._throttled.inc
        )

    def kept(self, delays_s: Sequence[float], duplicates: int) -> None:
        """New lines are durable."""
        self._ingested.labels(result="stored").inc(len(delays_s))
        self._ingested.labels(result="duplicate").inc(duplicates)
        for delay_s in delays_s:
            self._delay.observe(delay_s)

    def rejected(self, node_id: str, instance_ids: Sequence[str], entries: int) -> None:
        """A node sent lines of instances it does not host."""
        self._ingested.labels(result="rejected").inc(entries)
        self._obs.log.event(s.LOG_REJECTED, node_id=node_id, instance_id=instance_ids[0], count=entries)

    def damaged(self, damage: Damage) -> None:
        """The store found something that is not what had been written; called from its threads."""
        self._lost.labels(kind=damage.kind).inc(damage.lines)
        with self._obs.with_tenant(damage.org_id):
            self._obs.log.event(s.LOG_STORE_DAMAGED, reason=damage.kind, count=damage.lines, detail=damage.detail)
