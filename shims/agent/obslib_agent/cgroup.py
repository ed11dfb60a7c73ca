"""What the kernel says about one control group, in version 2 or 1 of its files (platform facts §11, MET-AG-09 to -11).

A figure whose file is not there, or cannot be understood, is ``None``: a host may have no pressure accounting, and version
1 keeps memory and processor in two hierarchies of which one may be missing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cgroup", "Figures"]

_UNLIMITED = 2**62
"""Version 1 writes "no limit" as the largest number of whole pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Resources of one instance, since it began where the name does not say otherwise; ``None`` is what nobody knows.

    ``cpu_pressure_seconds`` is the time in which some task of it waited for a processor.
    """

    memory_usage_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_peak_bytes: int | None = None
    oom_kills: int | None = None
    cpu_periods: int | None = None
    cpu_throttled_periods: int | None = None
    cpu_throttled_seconds: float | None = None
    cpu_pressure_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """One control group by its directories; in version 2 the three are one."""

    memory: Path | None = None
    cpu: Path | None = None
    pressure: Path | None = None

    @staticmethod
    def at(path: Path) -> Cgroup:
        """A group of version 2."""
        return Cgroup(memory=path, cpu=path, pressure=path)

    def read(self) -> Figures:
        """What the kernel says now; a few small files, none of them on a disk."""
        cpu = _table(self.cpu, "cpu.stat")
        kills = _table(self.memory, "memory.events") or _table(self.memory, "memory.oom_control")
        limit = _number(self.memory, "memory.max", "memory.limit_in_bytes")
        return Figures(
            memory_usage_bytes=_number(self.memory, "memory.current", "memory.usage_in_bytes"),
            memory_limit_bytes=None if limit is None or limit >= _UNLIMITED else limit,
            memory_peak_bytes=_number(self.memory, "memory.peak", "memory.max_usage_in_bytes"),
            oom_kills=kills.get("oom_kill"),
            cpu_periods=cpu.get("nr_periods"),
            cpu_throttled_periods=cpu.get("nr_throttled"),
            cpu_throttled_seconds=_throttled_seconds(cpu),
            cpu_pressure_seconds=_some_total(_text(self.pressure, "cpu.pressure")),
        )


def _text(directory: Path | None, name: str) -> str:
    if directory is not None:
        with suppress(OSError):
            return (directory / name).read_text()
    return ""


def _number(directory: Path | None, *names: str) -> int | None:
    """The figure in the first of these files that holds one; ``max`` is none."""
    return next((int(text) for name in names if (text := _text(directory, name).strip()).isdecimal()), None)


def _table(directory: Path | None, name: str) -> dict[str, int]:
    """``key value`` per line; lines of another form are passed over."""
    lines = (line.split() for line in _text(directory, name).splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdecimal()}


def _throttled_seconds(cpu: dict[str, int]) -> float | None:
    if "throttled_usec" in cpu:
        return cpu["throttled_usec"] / 1e6
    return cpu["throttled_time"] / 1e9 if "throttled_time" in cpu else None


def _some_total(pressure: str) -> float | None:
    for line in pressure.splitlines():
        total = line.rpartition("total=")[2]
        if line.startswith("some ") and total.isdecimal():
            return int(total) / 1e6
    return None
