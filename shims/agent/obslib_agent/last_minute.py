"""The last 60 s of one boot, and what they say when it has ended (DBG-3-03)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from obslib.wire import rfc3339
from obslib_agent.cgroup import Figures

__all__ = ["WINDOW_S", "LastMinute", "Window", "last_minute"]

WINDOW_S = 60.0
_AT_MOST = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMinute:
    """What was known of a boot when it ended, as a termination report and ``instance.terminated`` say it."""

    memory_usage_bytes: int | None = None
    memory_peak_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_cap_exceeded: bool | None = None
    cpu_throttled_seconds: float | None = None
    cpu_pressure_ratio: float | None = None
    sampled_at: str | None = None


class Window:
    """The samples of one boot in the last 60 s, and up to where its totals have been counted."""

    def __init__(self, env_id: str, process_type: str) -> None:
        self.group = (env_id, process_type)
        self.counted = Figures()
        self.samples: deque[tuple[float, Figures]] = deque(maxlen=_AT_MOST)
        self.sampled_at = 0.0

    @property
    def newest_at(self) -> float:
        """When the newest sample was taken, monotonic; 0 before the first."""
        return self.samples[-1][0] if self.samples else 0.0

    def add(self, at: float, wall: float, figures: Figures) -> None:
        """Keep a sample taken at monotonic ``at``, Unix time ``wall``; what is older than the window goes."""
        self.samples.append((at, figures))
        self.sampled_at = wall
        while self.samples[0][0] < at - WINDOW_S:
            self.samples.popleft()


def last_minute(window: Window | None, last: Figures) -> LastMinute:
    """What ``last``, read after the end, and the window say together; without a window nothing was sampled."""
    samples = list(window.samples) if window else []
    newest = samples[-1][1] if samples else Figures()
    used = [figures.memory_usage_bytes for _, figures in samples if figures.memory_usage_bytes is not None]
    peak = last.memory_peak_bytes if last.memory_peak_bytes is not None else newest.memory_peak_bytes
    return LastMinute(
        memory_usage_bytes=newest.memory_usage_bytes,
        memory_peak_bytes=max([peak, *used]) if peak is not None else max(used, default=None),
        memory_limit_bytes=last.memory_limit_bytes if last.memory_limit_bytes is not None else newest.memory_limit_bytes,
        memory_cap_exceeded=None if last.oom_kills is None else last.oom_kills > 0,
        cpu_throttled_seconds=_grown([figures.cpu_throttled_seconds for _, figures in samples]),
        cpu_pressure_ratio=_pressure(samples),
        sampled_at=rfc3339(window.sampled_at) if window and samples else None,
    )


def _grown(totals: Sequence[float | None]) -> float | None:
    known = [total for total in totals if total is not None]
    return round(max(0.0, known[-1] - known[0]), 6) if len(known) > 1 else None


def _pressure(samples: Sequence[tuple[float, Figures]]) -> float | None:
    waited = _grown([figures.cpu_pressure_seconds for _, figures in samples])
    passed = samples[-1][0] - samples[0][0] if samples else 0.0
    return None if waited is None or passed <= 0 else round(min(1.0, waited / passed), 4)
