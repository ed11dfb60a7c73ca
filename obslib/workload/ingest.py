"""What a node sends, stamped with what the control plane knows and kept before it is acknowledged (WLG-08, TEN-01)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from obslib.clock import Clock
from obslib.wire import LogAck, LogBatch, unix
from obslib.workload.store import LogStore
from obslib.workload.stored import Appended, Stamp, StampedEntry

__all__ = ["Ingest", "IngestWatch", "Resolver"]

Resolver = Callable[[Collection[str]], Awaitable[Mapping[str, Stamp]]]
"""The control plane's own view of instances, by id; one that it does not know is absent. It may raise."""


class IngestWatch(Protocol):
    """Hears what becomes of entries."""

    def kept(self, delays_s: Sequence[float], duplicates: int) -> None:
        """New lines are durable, each so long after its agent had it; ``duplicates`` were there before."""
        ...

    def rejected(self, node_id: str, instance_ids: Sequence[str], entries: int) -> None:
        """A node sent entries of instances that it does not host; none of them was kept."""
        ...


class Ingest:
    """Takes batches of nodes whose identity the host has established."""

    def __init__(self, store: LogStore, *, resolve: Resolver, clock: Clock, watch: IngestWatch) -> None:
        self._store, self._resolve, self._clock, self._watch = store, resolve, clock, watch

    async def accept(self, node_id: str, batch: LogBatch) -> LogAck:
        """Keep the entries of instances that are on ``node_id``; when this returns they are durable.

        Raises what the resolver or the store raises. Part of the batch may be durable then; the node sends it again,
        and that part counts as duplicates.
        """
        stamps = await self._resolve({entry.instance_id for entry in batch.entries})
        by_org: dict[str, list[StampedEntry]] = {}
        rejected: dict[str, int] = {}
        for entry in batch.entries:
            stamp = stamps.get(entry.instance_id)
            if stamp is None or stamp.node_id != node_id:
                rejected[entry.instance_id] = rejected.get(entry.instance_id, 0) + 1
            else:
                by_org.setdefault(stamp.org_id, []).append(StampedEntry(stamp, entry))
        if rejected:
            self._watch.rejected(node_id, tuple(rejected), sum(rejected.values()))
        ends = await asyncio.gather(*(self._keep(org_id, of_org) for org_id, of_org in by_org.items()), return_exceptions=True)
        kept = [end for end in ends if isinstance(end, Appended)]
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return LogAck(
            stored=sum(end.stored for end in kept), duplicates=sum(end.duplicates for end in kept), rejected=tuple(rejected)
        )

    async def _keep(self, org_id: str, entries: Sequence[StampedEntry]) -> Appended:
        appended = await self._store.append(org_id, entries)
        now = self._clock.now()
        delays = [max(0.0, now - unix(entry.ts)) for entry in appended.fresh if entry.gap is None]
        self._watch.kept(delays, appended.duplicates)
        return appended
