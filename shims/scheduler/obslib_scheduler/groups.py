"""The scheduler's loop, the reconcile of one group in it, and the groups that must wait.

A group that waits is counted when it is put aside; one that failed also leaves a line with its class of
error and when it is tried again.
"""

from __future__ import annotations

from collections.abc import Callable

from obslib import Observability
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform.terms import SCHEDULER_REASONS, SchedulerReasonName
from obslib.loops import Run

__all__ = ["Groups"]


class Groups:
    """The signals of passes and groups, bound once. ``passes`` is the loop to iterate."""

    def __init__(self, obs: Observability, *, period_s: float, waiting: Callable[[], int]) -> None:
        self._log = obs.log
        self._reconcile = obs.operation(cp.GROUP_RECONCILE)
        self._backoffs = obs.metrics[cp.SCHEDULER_BACKOFFS]
        obs.metrics[cp.SCHEDULER_GROUPS_IN_BACKOFF].callback(lambda: float(waiting()))
        self.passes = obs.loop(cp.SCHEDULER_LOOP, period=period_s)

    def reconciling(self, *, env_id: str, process_type: str, traceparent: str) -> Run:
        """Around the reconcile of one group; linked to the trace of what it should become.

        It contains an Exception; its result can be read after the block. A ``reason`` on the exception is kept when
        it is one of the scheduler's.
        """
        return self._reconcile.linked([traceparent])(env_id=env_id, process_type=process_type)

    def put_aside(self, reason: SchedulerReasonName) -> None:
        """A group waits before its next try."""
        self._backoffs.labels(reason=reason).inc()

    def failed(
        self, error: BaseException, *, env_id: str, process_type: str, reason: str, attempt: int, backoff_seconds: float
    ) -> None:
        """A group could not be reconciled and waits ``backoff_seconds``; ``reason`` is folded into the closed set."""
        folded = SCHEDULER_REASONS.fold(reason)
        self._backoffs.labels(reason=folded).inc()  # type: ignore[arg-type]  # fold() returns a member
        self._log.failure(
            cp.SCHEDULER_GROUP_FAILED, error, env_id=env_id, process_type=process_type, reason=folded, attempt=attempt,
            backoff_seconds=backoff_seconds,
        )  # fmt: skip
