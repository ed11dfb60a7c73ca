"""What the host passes in: small drivers and values, never its own objects.

Which readiness checks apply follows from them: a launcher without a KVM device needs no KVM, and a host
without an overlay has none to watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

__all__ = [
    "FRESH_S", "CacheKind", "CacheTotals", "Disk", "DiskKind", "InstanceState", "Launcher", "Overlay",
    "ProbeTotals", "VolumePool",
]  # fmt: skip

FRESH_S = 180.0
"""A peer whose last handshake is older is stale: WireGuard drops the session then (platform facts §13)."""

CacheKind = Literal["oci", "rootdisks", "tmp"]
DiskKind = Literal["volume_pool", "image_cache", "host_root", "scratch"]
InstanceState = Literal["preparing", "booting", "ready", "draining", "stopped", "failed"]


class Launcher(Protocol):
    """What starts instances on this node."""

    @property
    def kvm_device(self) -> str | None:
        """Path of the KVM device it opens; ``None`` when it starts no virtual machines."""
        ...


class Overlay(Protocol):
    """The network between nodes."""

    def handshake_ages(self) -> Mapping[str, float | None] | None:
        """Seconds since the last handshake by configured peer, ``None`` for never; ``None`` without the interface."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system the node needs, by what it is for and a directory on it."""

    kind: DiskKind
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheTotals:
    """The image cache: what it holds now, and every request and eviction since the host began to count."""

    bytes: Mapping[CacheKind, int] = field(default_factory=dict)
    limit_bytes: int | None = None
    hits: int = 0
    misses: int = 0
    evictions: Mapping[tuple[CacheKind, Literal["gc", "disk_pressure"]], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePool:
    """The pool that volumes are cut from."""

    size_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTotals:
    """Probes between nodes since the host began to count; the ratio is the worst peer's of late, ``None`` before any."""

    sent: int
    lost: int
    max_loss_ratio: float | None = None
