"""The loop that removes what the retention policy no longer keeps (RET-02)."""

from __future__ import annotations

from obslib import Observability
from obslib.catalog.platform import retention as signals
from obslib.loops import Iteration
from obslib.retention import Purgeable, PurgedKind, purge

__all__ = ["Purging"]


class Purging:
    """The signals of purging, bound once. Register what grows old, then ``run``."""

    def __init__(self, obs: Observability, *, every_s: float) -> None:
        self._obs = obs
        self._loop = obs.loop(signals.RETENTION_PURGE, period=every_s)
        self._purged = obs.metrics[signals.RETENTION_PURGED]
        self._stores: list[tuple[PurgedKind, Purgeable]] = []

    def register(self, kind: PurgedKind, store: Purgeable) -> None:
        """Have ``store`` purged as the policy says for ``kind``, from the next pass on."""
        self._stores.append((kind, store))

    async def run(self) -> None:
        """Purge every store at each turn of the loop, until it is stopped."""
        async for it in self._loop:
            async with it:
                await self._purge(it)

    async def once(self) -> None:
        """One turn, for a host that has a schedule of its own."""
        async with self._loop.iteration() as it:
            await self._purge(it)

    async def _purge(self, it: Iteration) -> None:
        """Each store in turn; one that fails is put aside, and does not keep the others."""
        it.pending(len(self._stores))
        for kind, store in self._stores:
            try:
                gone = await purge(self._obs.retention, kind, store, now=self._obs.clock.now())
            except Exception as error:
                it.retry_later(error, reason=f"{kind} cannot be purged")
                continue
            self._purged.labels(kind=kind).inc(gone)
            if gone:
                self._obs.log.event(signals.RETENTION_PURGED_LINE, kind=kind, count=gone)
            it.progress()
