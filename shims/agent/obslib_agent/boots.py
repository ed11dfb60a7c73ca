"""The phases of a boot: a span and a duration each, under the boot's own span (MET-AG-04, TRC-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from obslib import Observability
from obslib.catalog import SpanKind
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform.terms import BootPhase

__all__ = ["BootPhases"]

Phase = Callable[[], AbstractContextManager[None]]


class BootPhases:
    """Times the phases this node's launcher has. A phase that raises is timed too, and its span fails."""

    def __init__(self, obs: Observability) -> None:
        self.image = _phase(obs, s.BOOT_IMAGE, "image")
        """Until the image is on this node."""
        self.rootdisk = _phase(obs, s.BOOT_ROOTDISK, "rootdisk")
        """Until the root disk is built."""
        self.network = _phase(obs, s.BOOT_NETWORK, "network")
        """Until the instance has its network device."""
        self.volume = _phase(obs, s.BOOT_VOLUME, "volume")
        """Until its volumes are attached."""
        self.vmm_start = _phase(obs, s.BOOT_VMM_START, "vmm_start")
        """From the decision to launch until the workload runs."""
        self.handshake = _phase(obs, s.BOOT_HANDSHAKE, "handshake")
        """Until the guest has taken its configuration."""
        self.health = _phase(obs, s.BOOT_HEALTH, "health")
        """From the running workload to its first passed check."""


def _phase(obs: Observability, kind: SpanKind[[]], phase: BootPhase) -> Phase:
    span, seconds, clock = obs.span(kind), obs.metrics[s.AGENT_BOOT_PHASE].labels(kind=phase), obs.clock

    @contextmanager
    def timed() -> Iterator[None]:
        begun = clock.monotonic()
        try:
            with span():
                yield
        finally:
            seconds.observe(clock.monotonic() - begun)

    return timed
