"""The one command to try next, for each reason a link can break, and who can run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from obslib.debug.chain import Finding
from obslib.debug.facts import Facts

__all__ = ["Advice", "advise"]

_PLATFORM = frozenset(
    {
        "projector_silent", "projection_lag", "scheduler_silent", "scheduler_failing", "no_nodes_active", "node_silent",
        "node_offline", "agent_failing", "edge_silent", "no_edge", "config_apply_failed",
        "port_unavailable",
    }
)  # fmt: skip
_MANIFEST = frozenset({"no_release", "no_route", "route_without_group", "protocol_unsupported"})
_SCALE = frozenset({"no_capacity_memory", "org_quota_exceeded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A command that can be pasted into a shell; words in capitals are left to the reader.

    ``actor`` is ``operator`` when the cause lies in the platform, where a tenant can only report it.
    """

    command: str
    actor: Literal["tenant", "operator"] = "tenant"


def advise(facts: Facts, broken: Finding | None) -> Advice:
    """What to try about the broken link; to watch the events, when there is none."""
    if broken is not None:
        if broken.reason_code in _PLATFORM:
            return Advice(command="platform describe convergence", actor="operator")
        if broken.reason_code in _MANIFEST:
            return Advice(command=f"platform deploy MANIFEST {facts.target}")
        if broken.reason_code in _SCALE:
            return Advice(command=f"platform scale {broken.subject}=N {facts.target}")
        for prefix, kind in (("inst_", "instance"), ("rt_", "route")):
            if broken.subject.startswith(prefix):
                return Advice(command=f"platform describe {kind} {broken.subject} {facts.target}")
    return Advice(command=f"platform events tail {facts.target}")
