"""Snapshots of the node's volumes, and new volumes made from snapshots (EXT-08)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obslib import Observability
from obslib.catalog.platform import volumes as s

__all__ = ["Snapshots"]


class Snapshots:
    """The snapshots and restores of a host that makes some, bound once: without them, their families are absent.

    ``under`` is the ``traceparent`` of what asked for one, if that is another trace. A block that raises has failed, is
    logged, and raises on; the exception's ``reason`` is folded into the catalog's, what follows a colon being detail.
    """

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._snapshot = obs.operation(s.SNAPSHOT).reraising
        self._restore = obs.operation(s.RESTORE).reraising

    @contextmanager
    def taking(self, snapshot_id: str, *, volume_id: str, under: str = "") -> Iterator[None]:
        """Until the snapshot is on this node; bringing it to the backup store is a backup."""
        ids = {"snapshot_id": snapshot_id, "volume_id": volume_id}
        snapshot = self._snapshot.under(under) if under else self._snapshot
        with self._obs.bind(**ids), snapshot(snapshot_id=snapshot_id, volume_id=volume_id) as run:
            yield
        self._obs.log.event(s.SNAPSHOT_TAKEN, **ids, duration_seconds=round(run.seconds, 6))

    @contextmanager
    def restoring(self, restore_id: str, *, snapshot_id: str, volume_id: str, under: str = "") -> Iterator[None]:
        """Until the new volume ``volume_id`` has been checked and can be attached."""
        ids = {"restore_id": restore_id, "snapshot_id": snapshot_id, "volume_id": volume_id}
        restore = self._restore.under(under) if under else self._restore
        with self._obs.bind(**ids), restore(restore_id=restore_id, snapshot_id=snapshot_id, volume_id=volume_id) as run:
            yield
        self._obs.log.event(s.RESTORE_FINISHED, **ids, duration_seconds=round(run.seconds, 6))
