"""What instances use, sampled by the host about once a second: by group, at the top, and each boot's last minute.

One call brings the whole picture, so what is not in it has gone, and its series with it (MET-AG-09 to -11, DBG-3-03).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obslib import Observability
from obslib.catalog.platform import resources as r
from obslib_agent.cgroup import Figures
from obslib_agent.last_minute import WINDOW_S, LastMinute, Window, last_minute

__all__ = ["InstanceSample", "Resources"]

_RANKS = 10
Group = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSample:
    """One instance of this node; ``figures`` is ``None`` while nothing of it runs."""

    env_id: str
    process_type: str
    instance_id: str
    boot_id: str = ""
    figures: Figures | None = None


class Resources:
    """Takes samples of everything on the node; keeps the last 60 s of each boot and exports what they say by group.

    What a boot had used before this process first saw it is not counted again: the first picture is where counting
    begins, and boots that come later are counted from their start. One that ends before its first sample is not counted.
    """

    def __init__(self, obs: Observability) -> None:
        self._clock = obs.clock
        self._usage = obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE]
        self._limit = obs.metrics[r.AGENT_INSTANCE_MEMORY_LIMIT]
        self._max_ratio = obs.metrics[r.AGENT_INSTANCE_MEMORY_MAX_RATIO]
        self._top_ratio = obs.metrics[r.AGENT_INSTANCE_MEMORY_TOP_RATIO]
        self._ratio = obs.metrics[r.AGENT_INSTANCE_MEMORY_RATIO]
        self._totals = (
            ("cpu_periods", obs.metrics[r.AGENT_INSTANCE_CPU_PERIODS]),
            ("cpu_throttled_periods", obs.metrics[r.AGENT_INSTANCE_CPU_THROTTLED_PERIODS]),
            ("cpu_throttled_seconds", obs.metrics[r.AGENT_INSTANCE_CPU_THROTTLED]),
            ("cpu_pressure_seconds", obs.metrics[r.AGENT_INSTANCE_CPU_PRESSURE]),
        )
        self._windows: dict[str, Window] = {}
        self._groups: set[Group] = set()
        self._has_begun = False

    def sampled(self, samples: Sequence[InstanceSample]) -> None:
        """Take over one sample of every instance of the node, also of those that do not run now."""
        running = [(sample, sample.figures) for sample in samples if sample.figures is not None]
        for sample, figures in running:
            self._keep(sample, figures)
        self._has_begun = True
        self._forget({(sample.env_id, sample.process_type) for sample in samples})
        self._export(running)

    def ended(self, boot_id: str, last: Figures) -> LastMinute:
        """The last minute of a boot of which ``last`` is all that is left to read; its window is given up."""
        window = self._windows.pop(boot_id, None)
        if window is not None:
            self._count(window, last)
        return last_minute(window, last)

    def _keep(self, sample: InstanceSample, figures: Figures) -> None:
        window = self._windows.get(sample.boot_id)
        if window is None:
            window = self._windows[sample.boot_id] = Window(sample.env_id, sample.process_type)
            window.counted = Figures() if self._has_begun else figures
        self._count(window, figures)
        window.add(self._clock.monotonic(), self._clock.now(), figures)

    def _count(self, window: Window, figures: Figures) -> None:
        env_id, process_type = window.group
        for name, family in self._totals:
            total, counted = getattr(figures, name), getattr(window.counted, name) or 0
            if total is not None:  # a total that is known and does not grow shows as 0
                family.labels(env_id=env_id, process_type=process_type).inc(max(0, total - counted))
        window.counted = figures

    def _forget(self, groups: set[Group]) -> None:
        """Drop the counters of groups that left the node, and the windows of boots whose end nobody asked about."""
        for env_id, process_type in self._groups - groups:
            for _, family in self._totals:
                family.remove(env_id=env_id, process_type=process_type)
        self._groups = groups
        oldest = self._clock.monotonic() - WINDOW_S
        for boot_id in [boot_id for boot_id, window in self._windows.items() if window.newest_at < oldest]:
            del self._windows[boot_id]

    def _export(self, running: Sequence[tuple[InstanceSample, Figures]]) -> None:
        usage: dict[Group, float] = {}
        limit: dict[Group, float] = {}
        nearest: dict[Group, float] = {}
        ratios: dict[str, float] = {}
        for sample, figures in running:
            group = (sample.env_id, sample.process_type)
            used, cap = figures.memory_usage_bytes, figures.memory_limit_bytes
            if used is not None:
                usage[group] = usage.get(group, 0) + used
            if cap is not None:
                limit[group] = limit.get(group, 0) + cap
            if used is not None and cap:
                ratios[sample.instance_id] = used / cap
                nearest[group] = max(nearest.get(group, 0.0), used / cap)
        top = sorted(ratios.values(), reverse=True)[:_RANKS]
        self._usage.replace(usage)
        self._limit.replace(limit)
        self._max_ratio.replace(nearest)
        self._top_ratio.replace({str(rank): ratio for rank, ratio in enumerate(top, start=1)})
        self._ratio.replace(ratios)
