"""The life of instances on this node: ready, adopted, unhealthy, ended (MET-AG-03, MET-AG-10, DBG-3-01 to -05)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from obslib import Observability
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform import resources as r
from obslib.catalog.platform.terms import INSTANCE_REASONS, InstanceReasonName
from obslib.wire import TerminationClass, TerminationReport, reason_code, termination_class
from obslib_agent.drivers import InstanceState
from obslib_agent.last_minute import LastMinute

__all__ = ["Instances"]


class Instances:
    """Verbs for what happens to an instance; call them with the instance's ids bound (``obs.bind``).

    ``states`` counts this node's instances by state and ``desired`` those the plan wants running; both are
    read at each scrape and must be quick. A state nobody is in shows as 0.
    """

    def __init__(
        self,
        obs: Observability,
        *,
        states: Callable[[], Mapping[InstanceState, int]] | None,
        desired: Callable[[], int] | None,
    ) -> None:
        self._log = obs.log
        self._backoffs = obs.metrics[s.AGENT_BACKOFFS]
        self._oom_kills = obs.metrics[r.AGENT_INSTANCE_OOM_KILLS]
        if states is not None:
            empty = dict.fromkeys(s.AGENT_INSTANCES.labels[0].values, 0)
            obs.metrics[s.AGENT_INSTANCES].callback(lambda: {**empty, **{str(state): n for state, n in states().items()}})
        if desired is not None:
            obs.metrics[s.AGENT_INSTANCES_DESIRED].callback(desired)

    def ready(self, boot_seconds: float) -> None:
        """The instance passed its first health check, ``boot_seconds`` after its boot began."""
        self._log.event(s.INSTANCE_READY, boot_seconds=boot_seconds)

    def adopted(self, boot_id: str) -> None:
        """The instance outlived an earlier agent and is watched again."""
        self._log.event(s.INSTANCE_ADOPTED, boot_id=boot_id)

    def health_changed(self, status: str, reason: str = "") -> None:
        """A health check came out differently than the one before."""
        self._log.event(s.INSTANCE_HEALTH_CHANGED, status=status, reason=reason)

    def put_aside(self, reason: str) -> None:
        """The instance waits before its next boot; ``reason`` is an instance reason code."""
        self._backoffs.labels(reason=cast("InstanceReasonName", INSTANCE_REASONS.fold(reason))).inc()

    def terminated(
        self,
        *,
        process_type: str,
        reason: str = "",
        detail: str = "",
        exit_code: int | None = None,
        desired_state: str = "running",
        desired_reason: str = "",
        was_ready: bool,
        last_minute: LastMinute = LastMinute(),  # noqa: B008  # frozen, and nothing is known in it
    ) -> TerminationReport:
        """The instance ended; logs it, counts it if its memory cap ended it, and returns what to report.

        ``reason`` is what the agent found, empty when the end was asked for. Text that is no reason code becomes
        the nearest one and is kept in front of ``detail`` (platform facts §10). ``exit_code`` is negative for a
        signal and ``None`` when nobody could learn it.
        """
        code, kept = reason_code(reason) if reason else ("", "")
        report = TerminationReport(
            termination_class=termination_class(
                code=code,
                exit_code=exit_code,
                desired_state=desired_state,
                desired_reason=desired_reason,
                was_ready=was_ready,
            ),
            reason_code=code,
            reason_detail=": ".join(part for part in (kept, detail) if part),
            exit_code=exit_code,
            memory_usage_bytes=last_minute.memory_usage_bytes,
            memory_peak_bytes=last_minute.memory_peak_bytes,
            memory_limit_bytes=last_minute.memory_limit_bytes,
            memory_cap_exceeded=last_minute.memory_cap_exceeded,
            cpu_throttled_seconds=last_minute.cpu_throttled_seconds,
            cpu_pressure_ratio=last_minute.cpu_pressure_ratio,
            sampled_at=last_minute.sampled_at,
        )
        if report.termination_class is TerminationClass.OOM:
            self._oom_kills.labels(process_type=process_type).inc()
        self._log.event(
            s.INSTANCE_TERMINATED,
            termination_class=report.termination_class,
            reason_code=report.reason_code,
            reason_detail=report.reason_detail,
            exit_code=report.exit_code,
            memory_usage_bytes=report.memory_usage_bytes,
            memory_peak_bytes=report.memory_peak_bytes,
            memory_limit_bytes=report.memory_limit_bytes,
            memory_cap_exceeded=report.memory_cap_exceeded,
            cpu_throttled_seconds=report.cpu_throttled_seconds,
            cpu_pressure_ratio=report.cpu_pressure_ratio,
            sampled_at=report.sampled_at,
        )
        return report
