"""What to do about each reason a link can break: the one command to try next, who can run it, and the runbook behind it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from obslib.catalog import Runbook
from obslib.catalog.platform import runbooks
from obslib.debug.chain import Finding
from obslib.debug.facts import Facts

__all__ = ["RUNBOOK_OF", "Advice", "advise"]

_PLATFORM = frozenset(
    {
        "projector_silent", "projection_lag", "scheduler_silent", "scheduler_failing", "no_nodes_active", "node_silent",
        "node_offline", "agent_failing",
    }
)  # fmt: skip
_EDGE = frozenset({"edge_silent", "no_edge", "config_apply_failed", "port_unavailable"})
_MANIFEST = frozenset({"no_release", "no_route", "route_without_group", "protocol_unsupported"})
_SCALE = frozenset({"no_capacity_memory", "org_quota_exceeded"})
_RUNBOOKS = {
    runbooks.PROJECTION_LAG: ("projector_silent", "projection_lag"),
    runbooks.SCHEDULER_STALLED: ("scheduler_silent", "scheduler_failing", "scheduler_behind", "no_progress"),
    runbooks.HOST_DEGRADED: (
        "node_silent", "node_offline", "no_nodes_active", "no_capacity_memory", "agent_failing", "agent_behind", "boot_pending",
    ),
    runbooks.FIRECRACKER_FAILURE: (
        "firecracker_start_failed", "rootfs_build_failed", "network_setup_failed", "image_pull_failed", "start_timeout",
    ),
    runbooks.VOLUME_CORRUPTION: ("volume_attach_failed",),
    runbooks.EDGE_PARTIAL_OUTAGE: ("edge_silent", "no_edge", "config_apply_failed", "port_unavailable", "edge_behind"),
    runbooks.WIREGUARD_PARTITION: ("unreachable", "timeout"),
}  # fmt: skip

RUNBOOK_OF: Mapping[str, Runbook] = MappingProxyType(
    {reason: runbook for runbook, reasons in _RUNBOOKS.items() for reason in reasons}
)
"""The operator's runbook for a reason code. A reason that only the workload's owner can mend has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A command that can be pasted into a shell; words in capitals are left to the reader.

    ``actor`` is ``operator`` when the cause lies in the platform, where a tenant can only report it.
    """

    command: str
    actor: Literal["tenant", "operator"] = "tenant"
    runbook: str = ""
    """Path of the runbook in the repository, for operators; empty when the reason has none."""


def advise(facts: Facts, broken: Finding | None) -> Advice:
    """What to try about the broken link; to watch the events, when there is none."""
    if broken is None:
        return Advice(command=f"platform events tail {facts.target}")
    runbook = f"specs/runbooks/{RUNBOOK_OF[broken.reason_code].path}" if broken.reason_code in RUNBOOK_OF else ""
    if broken.reason_code in _EDGE:
        named = [shlex.quote(str(broken.evidence["edge"]))] if "edge" in broken.evidence else []
        return Advice(command=" ".join(["platform describe edge", *named]), actor="operator", runbook=runbook)
    if broken.reason_code in _PLATFORM:
        return Advice(command="platform describe convergence", actor="operator", runbook=runbook)
    return Advice(command=_by_the_tenant(facts, broken), runbook=runbook)


def _by_the_tenant(facts: Facts, broken: Finding) -> str:
    if broken.reason_code in _MANIFEST:
        return f"platform deploy MANIFEST {facts.target}"
    if broken.reason_code in _SCALE:
        return f"platform scale {broken.subject}=N {facts.target}"
    for prefix, kind in (("inst_", "instance"), ("rt_", "route")):
        if broken.subject.startswith(prefix):
            return f"platform describe {kind} {broken.subject} {facts.target}"
    return f"platform events tail {facts.target}"
