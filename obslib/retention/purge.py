"""Removing what the policy no longer keeps. Stores say how; which kinds there are is closed, and audit is not among them."""

from __future__ import annotations

from typing import Literal, Protocol

from obslib.retention.policy import Policy

__all__ = ["Purgeable", "PurgedKind", "purge"]

PurgedKind = Literal["platform_logs", "workload_logs", "metrics", "traces"]


class Purgeable(Protocol):
    """A store whose records grow old."""

    async def purge(self, before_unix_s: float, /) -> int:
        """Remove every record older than that and return how many there were; safe to be stopped and run again."""
        ...


async def purge(policy: Policy, kind: PurgedKind, store: Purgeable, *, now: float) -> int:
    """Purge one store by the policy; returns how many records went, 0 when the kind is not kept by age."""
    horizon = policy.horizon(f"retention.{kind}", now)
    return 0 if horizon is None else await store.purge(horizon)
