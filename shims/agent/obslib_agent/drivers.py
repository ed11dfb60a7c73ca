"""What the host passes in: small drivers and values, never its own objects.

Which readiness checks apply follows from them: a launcher without a KVM device needs no KVM, and a host
without an overlay has none to watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

__all__ = ["ConsoleTotals", "Disk", "DiskKind", "InstanceState", "Launcher", "Overlay"]

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
class ConsoleTotals:
    """Everything ever captured from consoles on this node; kept by the host, so that it outlives a killed agent."""

    lines: Mapping[Literal["stdout", "stderr"], int] = field(default_factory=dict)
    bytes: int = 0
    truncated_lines: int = 0
    dropped_bytes: int = 0
