"""The phases of a boot: a span and a duration each, under the boot's own span (MET-AG-04, TRC-08)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from obslib import Observability
from obslib.catalog.platform import data_plane as s

__all__ = ["BootPhases"]


class BootPhases:
    """Times the phases this node's launcher has. A phase that raises is timed too, and its span fails."""

    def __init__(self, obs: Observability) -> None:
        duration = obs.metrics[s.AGENT_BOOT_PHASE]
        self._clock = obs.clock
        self._vmm_start = (obs.span(s.BOOT_VMM_START), duration.labels(kind="vmm_start"))
        self._health = (obs.span(s.BOOT_HEALTH), duration.labels(kind="health"))

    @contextmanager
    def vmm_start(self) -> Iterator[None]:
        """From the decision to launch until the workload runs."""
        span, seconds = self._vmm_start
        begun = self._clock.monotonic()
        try:
            with span():
                yield
        finally:
            seconds.observe(self._clock.monotonic() - begun)

    @contextmanager
    def health(self) -> Iterator[None]:
        """From the running workload to its first passed check."""
        span, seconds = self._health
        begun = self._clock.monotonic()
        try:
            with span():
                yield
        finally:
            seconds.observe(self._clock.monotonic() - begun)
