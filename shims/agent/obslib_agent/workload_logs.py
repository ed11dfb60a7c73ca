"""Workload logs in figures and in lines about their loss; per node, never per instance, and without a word of text (WLG-07)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from obslib import Observability
from obslib.catalog.platform import tenant as s
from obslib.wire.workload_log import LossReason
from obslib.workload.node import LogTotals

__all__ = ["WorkloadLogs"]

_QUIET_S = 10.0


@dataclass(slots=True)
class _Loss:
    began: float
    last: float
    lines: int = 0


class WorkloadLogs:
    """Tells when an instance's lines begin to be lost and when that is over: nothing lost for 10 s.

    ``totals`` is read at each scrape, from another thread, and must be quick.
    """

    def __init__(self, obs: Observability, totals: Callable[[], LogTotals] | None) -> None:
        self._log = obs.log
        self._clock = obs.clock
        self._losses: dict[tuple[str, LossReason], _Loss] = {}
        self._failures = 0
        if totals is not None:
            _export(obs, totals)

    def lost(self, instance_id: str, reason: LossReason, lines: int) -> None:
        """Lines of an instance were given up."""
        now = self._clock.monotonic()
        loss = self._losses.get((instance_id, reason))
        if loss is None:
            loss = self._losses[instance_id, reason] = _Loss(began=now, last=now)
            self._log.event(s.WORKLOAD_LOG_LOSS_BEGAN, instance_id=instance_id, reason=reason)
        loss.last = now
        loss.lines += lines

    def settle(self) -> None:
        """Tell which losses are over; call it about once a second."""
        now = self._clock.monotonic()
        for (instance_id, reason), loss in list(self._losses.items()):
            if now - loss.last >= _QUIET_S:
                del self._losses[instance_id, reason]
                self._log.event(
                    s.WORKLOAD_LOG_LOSS_ENDED, instance_id=instance_id, reason=reason, count=loss.lines,
                    duration_seconds=loss.last - loss.began,
                )  # fmt: skip

    def captured(self) -> None:
        """Consoles were read and kept."""
        self._failures = 0

    def capture_failed(self, error: Exception) -> None:
        """They could not be kept; told at failures 1, 2, 4, 8, … in a row."""
        self._failures += 1
        if self._failures & (self._failures - 1) == 0:
            self._log.failure(s.WORKLOAD_LOG_CAPTURE_FAILED, error, attempt=self._failures)

    def forward_failed(self, error: Exception, attempt: int) -> None:
        """A batch was not acknowledged, for the ``attempt``-th time in a row; told likewise."""
        if attempt & (attempt - 1) == 0:
            self._log.failure(s.WORKLOAD_LOG_FORWARD_FAILED, error, attempt=attempt)


def _export(obs: Observability, totals: Callable[[], LogTotals]) -> None:
    obs.metrics[s.WORKLOAD_LOG_LINES].mirror(lambda: dict(totals().lines))
    obs.metrics[s.WORKLOAD_LOG_BYTES].mirror(lambda: totals().bytes)
    obs.metrics[s.WORKLOAD_LOG_TRUNCATED].mirror(lambda: totals().truncated_lines)
    obs.metrics[s.WORKLOAD_LOG_DROPPED_BYTES].mirror(lambda: totals().dropped_bytes)
    obs.metrics[s.WORKLOAD_LOG_FORWARDED].mirror(
        lambda: {"success": totals().forwarded_lines, "failure": totals().failed_lines}
    )
    obs.metrics[s.WORKLOAD_LOG_DROPPED].mirror(lambda: dict(totals().dropped_lines))
    obs.metrics[s.WORKLOAD_LOG_SPOOL_ERRORS].mirror(lambda: dict(totals().troubles))
    obs.metrics[s.WORKLOAD_LOG_BUFFER].callback(lambda: totals().buffer_bytes)
    obs.metrics[s.WORKLOAD_LOG_UNACCOUNTED].callback(lambda: totals().unaccounted_lines)
