"""Brings what the spool holds to the other side: one batch under way, tried until it is acknowledged.

A batch goes when it has 100 lines or its first has waited 500 ms (platform facts §15). ``send`` returns the other
side's answer once the batch is durable there, or raises; only the answer lets the spool go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from obslib.clock import Clock
from obslib.loops.backoff import Backoff
from obslib.wire import LogAck, LogBatch
from obslib.workload.node.spool import Spool
from obslib.workload.node.spool_file import SpoolUnavailable

__all__ = ["Forwarder"]

_ENOUGH_LINES = 100
_PATIENCE_S = 0.5
_POLL_S = 0.1
_CHECK_EVERY_S = 5.0
_LONGEST_PAUSE_S = 5.0


class Forwarder:
    """Forwards one spool. ``on_failure`` is told (error, failures in a row), ``on_success`` after each acknowledged batch.

    Failures are followed by 100 ms, doubling, at most about 5 s: a reader is promised fresh lines within 10 s.
    """

    def __init__(
        self,
        spool: Spool,
        send: Callable[[LogBatch], Awaitable[LogAck]],
        *,
        clock: Clock,
        on_failure: Callable[[Exception, int], None] = lambda *_: None,
        on_success: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._spool = spool
        self._send = send
        self._clock = clock
        self._on_failure = on_failure
        self._on_success = on_success
        self._backoff = backoff or Backoff(cap_s=_LONGEST_PAUSE_S)
        self._failures = 0
        self._waiting_since: float | None = None
        self._checked_at = float("-inf")

    async def run(self) -> None:
        """Forward for ever. Cancelled in the middle of a call, it sends that batch again next time."""
        while True:
            await self._clock.sleep(await self.step())

    async def step(self) -> float:
        """Send one batch if one is due; returns how long to wait before the next step."""
        now = self._clock.monotonic()
        try:
            if now - self._checked_at >= _CHECK_EVERY_S:
                self._spool.check()
                self._checked_at = now
            if not self._is_due(now):
                return _POLL_S
            return await self._forward()
        except SpoolUnavailable as error:
            return self._failed(error)

    async def _forward(self) -> float:
        batch = self._spool.batch()
        self._waiting_since = None
        if batch is None:
            return _POLL_S
        try:
            self._spool.acknowledge(batch, await self._send(batch))
        except SpoolUnavailable:
            raise
        except Exception as error:
            self._spool.failed(batch)
            return self._failed(error)
        self._failures = 0
        self._on_success()
        return 0.0

    def _is_due(self, now: float) -> bool:
        totals = self._spool.totals
        if not totals.buffer_bytes:
            self._waiting_since = None
            return False
        if self._waiting_since is None:
            self._waiting_since = now
        return self._failures > 0 or totals.waiting_lines >= _ENOUGH_LINES or now - self._waiting_since >= _PATIENCE_S

    def _failed(self, error: Exception) -> float:
        self._failures += 1
        self._on_failure(error, self._failures)
        return self._backoff.pause_s(self._failures)
