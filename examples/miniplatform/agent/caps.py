"""Memory caps: who enforces them on this machine, chosen once at start.

Control groups of version 2 where their memory controller can be used, else of version 1; else the guest init watches
(``guest_init.py`` says how well). The report of a workload that outgrew its cap names which it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from miniplatform.agent.cgroups import V1, V2, Cgroups, Hierarchies
from miniplatform.agent.workload import Ending
from miniplatform.guest_init import memory_of
from obslib_agent import Figures

__all__ = ["Caps", "Watched", "choose"]


class Caps(Protocol):
    """One way to keep workloads under their memory cap."""

    @property
    def decided_by(self) -> str:
        """``cgroup_v2``, ``cgroup_v1`` or ``rss_watcher``."""
        ...

    def confine(self, boot_id: str, cap_bytes: int) -> Mapping[str, object]:
        """Prepare the cap of a boot; returns the guest init's CAP. Raises StartFailed when it cannot be had."""
        ...

    def figures(self, boot_id: str, init_pid: int, cap_bytes: int) -> Figures | None:
        """What is known of a boot under this guest init, ``None`` when it does not run now; safe to ask from any thread."""
        ...

    def last_figures(self, boot_id: str, ending: Ending, cap_bytes: int) -> Figures:
        """What is known of a boot that ended like this; ``oom_kills`` above 0 says that the cap ended it."""
        ...

    def release(self, boot_id: str) -> None:
        """Let go of what ``confine`` made; nothing of the boot runs after that. Blocks for a moment."""
        ...

    def clear(self, *, keep: set[str]) -> None:
        """Let go of everything that boots outside ``keep`` left behind."""
        ...


class Watched:
    """The guest init of each workload watches over its cap; needs no privilege."""

    decided_by = "rss_watcher"

    def confine(self, boot_id: str, cap_bytes: int) -> Mapping[str, object]:
        """Nothing to prepare."""
        return {"join": [], "oom_kills": "", "watch_bytes": cap_bytes}

    def figures(self, boot_id: str, init_pid: int, cap_bytes: int) -> Figures | None:
        """The memory of everything below the guest init; nothing about processors."""
        held = memory_of(init_pid, cap_bytes)
        return Figures(memory_usage_bytes=held, memory_limit_bytes=cap_bytes) if held else None

    def last_figures(self, boot_id: str, ending: Ending, cap_bytes: int) -> Figures:
        """What the guest init saw, if it lived to write it down."""
        kills = None if ending.memory_cap_exceeded is None else int(ending.memory_cap_exceeded)
        return Figures(memory_limit_bytes=cap_bytes, memory_peak_bytes=ending.memory_peak_bytes, oom_kills=kills)

    def release(self, boot_id: str) -> None:
        """Nothing was made."""

    def clear(self, *, keep: set[str]) -> None:
        """Nothing was made."""


def choose(home: Path, hierarchies: Hierarchies) -> Caps:
    """The first way that works for an agent in ``home``; the last one always does."""
    for version in (V2, V1):
        with suppress(OSError):
            return Cgroups(version, hierarchies, home)
    return Watched()
