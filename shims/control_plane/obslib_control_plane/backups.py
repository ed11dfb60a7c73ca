"""Backups: every run by kind and result, the newest good one, and the volumes that have none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obslib import Observability
from obslib.catalog.platform import durability
from obslib.catalog.platform.durability import BackupKindName

__all__ = ["Backups"]


class Backups:
    """The signals of backups, bound once, by a host that makes some: without one, its families are absent."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._runs = obs.metrics[durability.BACKUP_RUNS]
        self._duration = obs.metrics[durability.BACKUP_DURATION]
        self._last_success = obs.metrics[durability.BACKUP_LAST_SUCCESS]
        self._stale_volumes = obs.metrics[durability.BACKUP_STALE_VOLUMES]

    @contextmanager
    def running(self, kind: BackupKindName) -> Iterator[None]:
        """Around one backup: a block that raises has failed, is logged and raises on; one that ends made a good backup."""
        began = self._obs.clock.monotonic()
        try:
            yield
        except Exception as error:
            seconds = self._count(kind, began, is_good=False)
            self._obs.log.failure(durability.BACKUP_FAILED, error, kind=kind, duration_seconds=seconds)
            raise
        self._count(kind, began, is_good=True)
        self._last_success.labels(kind=kind).set(self._obs.clock.now())

    def known(self, kind: BackupKindName, at: float) -> None:
        """The newest good backup was made ``at`` (Unix time), as stored; for a host that has just started."""
        self._last_success.labels(kind=kind).set(at)

    def stale_volumes(self, count: int) -> None:
        """So many volumes have no good backup of the last 48 hours."""
        self._stale_volumes.labels().set(count)

    def _count(self, kind: BackupKindName, began: float, *, is_good: bool) -> float:
        seconds = self._obs.clock.monotonic() - began
        self._runs.labels(kind=kind, result="success" if is_good else "failure").inc()
        self._duration.labels(kind=kind, result="success" if is_good else "failure").observe(seconds)
        return seconds
