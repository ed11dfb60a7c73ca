"""Wires obslib into the node agent: ``agent = instrument(obs, launcher=…, overlay=…)``."""

from obslib_agent.actors import ActorKind, Actors
from obslib_agent.cgroup import Cgroup, Figures
from obslib_agent.drivers import (
    CacheKind,
    CacheTotals,
    Disk,
    DiskKind,
    InstanceState,
    Launcher,
    Overlay,
    ProbeTotals,
    VolumePool,
)
from obslib_agent.image_cache import ImageCache
from obslib_agent.instrument import Agent, instrument
from obslib_agent.last_minute import LastMinute
from obslib_agent.overlay import WireGuard
from obslib_agent.resources import InstanceSample
from obslib_agent.secrets import Secrets
from obslib_agent.snapshots import Snapshots
from obslib_agent.volumes import Volumes

__all__ = [
    "ActorKind", "Actors", "Agent", "CacheKind", "CacheTotals", "Cgroup", "Disk", "DiskKind", "Figures", "ImageCache",
    "InstanceSample", "InstanceState", "LastMinute", "Launcher", "Overlay", "ProbeTotals", "Secrets", "Snapshots",
    "VolumePool", "Volumes", "WireGuard", "instrument",
]  # fmt: skip
