"""Decisions about single instances: placed, drained, stopped, or nowhere to go, each with its evidence."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

from obslib import Observability
from obslib.catalog.platform import addresses
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform.terms import SchedulerReasonName

__all__ = ["Decided", "Decisions"]

Decided = Literal["allocated", "drained", "stopped"]

_FOR_WANT_OF_AN_ADDRESS: frozenset[SchedulerReasonName] = frozenset({"ipam_exhausted", "ipam_unavailable"})


class Decisions:
    """The signals of decisions, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._log = obs.log
        self._span = obs.span(cp.SCHEDULER_ALLOCATE_SPAN)
        self._decisions = obs.metrics[cp.SCHEDULER_DECISIONS]
        self._unschedulable = obs.metrics[cp.SCHEDULER_UNSCHEDULABLE]
        self._without_address = obs.metrics[addresses.IPAM_ALLOCATION_FAILURES].labels(kind="instance")

    def deciding(self, decision: Decided, *, process_type: str, node_id: str) -> AbstractContextManager[object]:
        """Around one decision, from its choice to its commit."""
        return self._span(process_type=process_type, node_id=node_id, decision=decision)

    def decided(
        self, decision: Decided, *, env_id: str, process_type: str, group_spec_hash: str, deploy_id: str, instance_id: str,
        node_id: str, reason: str = "",
    ) -> None:  # fmt: skip
        """A decision was committed."""
        self._decisions.labels(decision=decision).inc()
        self._log.event(
            cp.SCHEDULER_DECIDED, decision=decision, env_id=env_id, process_type=process_type,
            group_spec_hash=group_spec_hash, deploy_id=deploy_id, instance_id=instance_id, node_id=node_id, reason=reason,
        )  # fmt: skip

    def unschedulable(
        self, reason: SchedulerReasonName, *, env_id: str, process_type: str, group_spec_hash: str, deploy_id: str
    ) -> None:
        """An instance that is wanted has nowhere to go; for want of an address, that is counted at the pool too (EXT-03)."""
        with self._span(process_type=process_type, decision="unschedulable"):
            self._decisions.labels(decision="unschedulable").inc()
            self._unschedulable.labels(reason=reason).inc()
            if reason in _FOR_WANT_OF_AN_ADDRESS:
                self._without_address.inc()
            self._log.event(
                cp.SCHEDULER_DECIDED, decision="unschedulable", env_id=env_id, process_type=process_type,
                group_spec_hash=group_spec_hash, deploy_id=deploy_id, reason=reason,
            )  # fmt: skip
