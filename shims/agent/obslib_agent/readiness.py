"""When the agent is ready: enrolled, connected, able to launch, heard (HLT-AG-01 to HLT-AG-05).

What does not apply to this host's drivers is ``not_applicable``, never ``ok``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from obslib import Observability, Verdict
from obslib.catalog.platform import data_plane as s
from obslib_agent.control_plane import Calls
from obslib_agent.disks import disks_verdict
from obslib_agent.drivers import FRESH_S, Disk, Launcher, Overlay
from obslib_agent.heartbeat import Heartbeat

__all__ = ["register"]

_FROM_MEMORY_EVERY_S = 0.5  # costs nothing, and a node that has just been accepted need not wait


def register(
    obs: Observability,
    *,
    launcher: Launcher,
    overlay: Overlay | None,
    disks: Sequence[Disk],
    calls: Calls,
    heartbeat: Heartbeat,
) -> None:
    """Register the agent's checks. Without ``disks`` the host registers ``disk_ok`` itself, or it stays unknown."""

    @obs.check(s.ENROLLED, every=_FROM_MEMORY_EVERY_S)
    def enrolled() -> Verdict:
        return calls.verdict()

    @obs.check(s.HEARTBEAT_OK, every=_FROM_MEMORY_EVERY_S)
    def heartbeat_ok() -> Verdict:
        return heartbeat.verdict()

    @obs.check(s.KVM_OK)
    def kvm_ok() -> Verdict:
        return kvm_verdict(launcher)

    @obs.check(s.OVERLAY_UP)
    def overlay_up() -> Verdict:
        return overlay_verdict(overlay)

    if disks:

        @obs.check(s.DISK_OK)
        def disk_ok() -> Verdict:
            return disks_verdict(disks)


def kvm_verdict(launcher: Launcher) -> Verdict:
    """Whether the launcher's KVM device opens for reading and writing."""
    device = launcher.kvm_device
    if device is None:
        return Verdict.not_applicable("launcher_without_kvm", "the launcher starts no virtual machines")
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return Verdict.failing("kvm_unusable", f"{device}: {error.strerror or type(error).__name__}")
    return Verdict.ok()


def overlay_verdict(overlay: Overlay | None) -> Verdict:
    """Whether one peer is fresh (platform facts §13): one stale peer alone must not take the node out."""
    if overlay is None:
        return Verdict.not_applicable("no_overlay", "this host has no overlay network")
    ages = overlay.handshake_ages()
    if ages is None:
        return Verdict.failing("no_interface", "the overlay interface is missing")
    if not ages:
        return Verdict.ok("no peers are configured")
    fresh = sum(1 for age in ages.values() if age is not None and age <= FRESH_S)
    detail = f"{fresh} of {len(ages)} peers shook hands in the last {FRESH_S:.0f} s"
    return Verdict.ok(detail) if fresh else Verdict.failing("no_fresh_peer", detail)
