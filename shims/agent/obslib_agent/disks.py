"""The node's file systems and volume pool: how large, how free, under pressure or not (MET-AG-12, MET-AG-13, HLT-AG-04)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence

from obslib import Observability, Verdict
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform import resources as r
from obslib_agent.drivers import CacheTotals, Disk, DiskKind, VolumePool

__all__ = ["Pressure", "disks_verdict", "measure_disks", "measure_pressure", "measure_volume_pool"]

_LEAST_FREE_SHARE = 0.1
_HIGH_WATER, _LOW_WATER = 0.9, 0.7


class Pressure:
    """Which disks are under pressure: from nine tenths used until down to seven tenths, so that no eviction makes it flap."""

    def __init__(self) -> None:
        self._pressed: set[DiskKind] = set()

    def judge(self, used: Mapping[DiskKind, float]) -> dict[DiskKind, float]:
        """1 or 0 for each disk by the share of it that is used; one that is not named is forgotten."""
        self._pressed = {
            kind for kind, share in used.items() if share >= _HIGH_WATER or (kind in self._pressed and share > _LOW_WATER)
        }
        return {kind: float(kind in self._pressed) for kind in used}


def measure_disks(obs: Observability, disks: Sequence[Disk]) -> None:
    """Export size and free space at each scrape; a file system that cannot be read is absent, and counted."""
    obs.metrics[s.AGENT_DISK_SIZE].callback(lambda: _figures(disks, _size))
    obs.metrics[s.AGENT_DISK_FREE].callback(lambda: _figures(disks, _free))


def measure_volume_pool(obs: Observability, pool: Callable[[], VolumePool]) -> None:
    """Export the pool at each scrape."""
    obs.metrics[r.AGENT_VOLUME_POOL_SIZE].callback(lambda: pool().size_bytes)
    obs.metrics[r.AGENT_VOLUME_POOL_USED].callback(lambda: pool().used_bytes)


def measure_pressure(
    obs: Observability,
    disks: Sequence[Disk],
    *,
    pool: Callable[[], VolumePool] | None,
    cache: Callable[[], CacheTotals] | None,
) -> None:
    """Judge the pressure on everything this host has, at each scrape.

    The image cache is under pressure by its own limit or by the file system it is on, whichever is fuller.
    """
    pressure = Pressure()

    def used() -> dict[DiskKind, float]:
        shares = {kind: 1.0 - share for kind, share in _figures(disks, _free_share).items()}
        if pool is not None and (found := pool()).size_bytes:
            shares["volume_pool"] = found.used_bytes / found.size_bytes
        if cache is not None and (limit := (held := cache()).limit_bytes):
            shares["image_cache"] = max(shares.get("image_cache", 0.0), sum(held.bytes.values()) / limit)
        return shares

    obs.metrics[r.AGENT_DISK_PRESSURE].callback(lambda: pressure.judge(used()))


def disks_verdict(disks: Sequence[Disk]) -> Verdict:
    """Whether every file system is writable with at least a tenth free (HLT-AG-04); blocks while a disk does."""
    for disk in disks:
        try:
            with tempfile.TemporaryFile(dir=disk.path) as probe:
                probe.write(b"x")
            found = os.statvfs(disk.path)
        except OSError as error:
            return Verdict.failing("not_writable", f"{disk.kind}: {error.strerror or type(error).__name__}")
        share = _free_share(found)
        if share < _LEAST_FREE_SHARE:
            return Verdict.failing("disk_full", f"{disk.kind} has {share:.0%} free, needs {_LEAST_FREE_SHARE:.0%}")
    return Verdict.ok()


def _figures(disks: Sequence[Disk], figure: Callable[[os.statvfs_result], float]) -> dict[DiskKind, float]:
    return {disk.kind: figure(os.statvfs(disk.path)) for disk in disks}


def _size(found: os.statvfs_result) -> int:
    return found.f_frsize * found.f_blocks


def _free(found: os.statvfs_result) -> int:
    return found.f_frsize * found.f_bavail


def _free_share(found: os.statvfs_result) -> float:
    return _free(found) / (_size(found) or 1)
