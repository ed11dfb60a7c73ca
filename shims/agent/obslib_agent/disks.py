"""The node's file systems: how large, how free, and whether an instance can still be launched on them (MET-AG-13)."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence

from obslib import Observability, Verdict
from obslib.catalog.platform import data_plane as s
from obslib_agent.drivers import Disk, DiskKind

__all__ = ["disks_verdict", "measure_disks"]

_LEAST_FREE_SHARE = 0.1


def measure_disks(obs: Observability, disks: Sequence[Disk]) -> None:
    """Export size and free space at each scrape; a file system that cannot be read is absent, and counted."""
    obs.metrics[s.AGENT_DISK_SIZE].callback(lambda: _figures(disks, _size))
    obs.metrics[s.AGENT_DISK_FREE].callback(lambda: _figures(disks, _free))


def disks_verdict(disks: Sequence[Disk]) -> Verdict:
    """Whether every file system is writable with at least a tenth free (HLT-AG-04); blocks while a disk does."""
    for disk in disks:
        try:
            with tempfile.TemporaryFile(dir=disk.path) as probe:
                probe.write(b"x")
            found = os.statvfs(disk.path)
        except OSError as error:
            return Verdict.failing("not_writable", f"{disk.kind}: {error.strerror or type(error).__name__}")
        share = _free(found) / (_size(found) or 1)
        if share < _LEAST_FREE_SHARE:
            return Verdict.failing("disk_full", f"{disk.kind} has {share:.0%} free, needs {_LEAST_FREE_SHARE:.0%}")
    return Verdict.ok()


def _figures(disks: Sequence[Disk], figure: Callable[[os.statvfs_result], int]) -> dict[DiskKind, float]:
    return {disk.kind: figure(os.statvfs(disk.path)) for disk in disks}


def _size(found: os.statvfs_result) -> int:
    return found.f_frsize * found.f_blocks


def _free(found: os.statvfs_result) -> int:
    return found.f_frsize * found.f_bavail
