"""The primary's replicas as the control plane sees them: how many stream, how many should, how far the worst is behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from obslib import Observability, Verdict
from obslib.catalog.platform import durability

__all__ = ["Replicas", "watch_replication"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """What the primary says: replicas that stream, those there should be, and the lag of the worst (None without any)."""

    connected: int
    expected: int
    lag_seconds: float | None = None


def watch_replication(obs: Observability, replicas: Callable[[], Awaitable[Replicas]] | None) -> None:
    """Ask ``replicas`` in the background, for the gauges and the check ``replication``.

    Without it, and while it raises or hangs, the gauges are absent: that nobody looked does not mean that none is there.
    """
    seen: Replicas | None = None
    obs.metrics[durability.DB_REPLICAS_EXPECTED].callback(lambda: None if seen is None else seen.expected)
    obs.metrics[durability.DB_REPLICAS_CONNECTED].callback(lambda: None if seen is None else seen.connected)
    obs.metrics[durability.DB_REPLICATION_LAG].callback(lambda: None if seen is None else seen.lag_seconds)

    @obs.check(durability.REPLICATION_OK)
    async def replication() -> Verdict:
        nonlocal seen
        if replicas is None:
            return Verdict.not_applicable("no_replication", "this control plane is not told about replicas")
        seen = None
        seen = await replicas()
        count = f"{seen.connected} of {seen.expected} replicas stream"
        return Verdict.failing("replicas_missing", count) if seen.connected < seen.expected else Verdict.ok(count)
