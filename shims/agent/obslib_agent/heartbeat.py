"""Heartbeats: counted, dated, and logged without flooding an outage (HLT-AG-05)."""

from __future__ import annotations

from obslib import Observability, Verdict
from obslib.catalog.platform import data_plane as s

__all__ = ["Heartbeat"]


class Heartbeat:
    """The node's pulse. The control plane counts a node as offline after ``silent_after_s`` without one."""

    def __init__(self, obs: Observability, *, silent_after_s: float) -> None:
        beats = obs.metrics[s.AGENT_HEARTBEATS]
        self._log = obs.log
        self._clock = obs.clock
        self._accepted = beats.labels(result="success")
        self._failed = beats.labels(result="failure")
        self._last_success = obs.metrics[s.AGENT_HEARTBEAT_LAST_SUCCESS].labels()
        self._silent_after_s = silent_after_s
        self._began = self._clock.monotonic()
        self._accepted_at: float | None = None
        self._failures = 0

    def accepted(self) -> None:
        """The control plane took a heartbeat."""
        self._failures = 0
        self._accepted_at = self._clock.monotonic()
        self._accepted.inc()
        self._last_success.set(self._clock.now())

    def failed(self, error: BaseException) -> None:
        """It did not. Logged at failures 1, 2, 4, 8, … in a row: an outage is told, and grows quiet."""
        self._failures += 1
        self._failed.inc()
        if self._failures & (self._failures - 1) == 0:
            self._log.failure(s.AGENT_HEARTBEAT_FAILED, error, attempt=self._failures)

    def verdict(self) -> Verdict:
        """Whether a heartbeat was accepted lately; before the first one that is unknown for as long as silence is allowed."""
        silent_s = self._clock.monotonic() - (self._began if self._accepted_at is None else self._accepted_at)
        if silent_s > self._silent_after_s:
            return Verdict.failing("silent", f"no heartbeat was accepted for {silent_s:.0f} s")
        if self._accepted_at is None:
            return Verdict.unknown("no_heartbeat_yet")
        return Verdict.ok()
