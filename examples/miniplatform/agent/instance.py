"""One slot of the node: what is wanted of it, the boot that runs, how often it failed.

Every change is written down together with the report it calls for. Nothing here waits or signals; what
happens to processes is in ``supervisor.py``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from miniplatform.agent.state import Boot, InstanceRow, State
from miniplatform.agent.workload import ADDRESS, Process, ProcessId
from miniplatform.config import Timings
from miniplatform.wire import PlannedInstance
from obslib.traces import parse
from obslib.wire import HealthReport, InstanceReport, PlacedReport, TerminationReport
from obslib.wire.instance import InstanceStatus
from obslib_agent import InstanceState

__all__ = ["Instance"]

_JITTER = 0.25


class Instance:
    """A slot. ``stirred`` is set when the wish changes or the process ends; ``on_report`` when there is news to send."""

    def __init__(
        self, row: InstanceRow, boot: Boot | None, *, state: State, timings: Timings, on_report: Callable[[], None]
    ) -> None:
        self.row = row
        self.boot = boot
        self.process: Process | None = None
        self.health = HealthReport()
        self.stirred = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._state = state
        self._timings = timings
        self._on_report = on_report

    @property
    def want(self) -> PlannedInstance:
        """What is wanted of the instance now."""
        return self.row.want

    @property
    def wants_running(self) -> bool:
        """Whether an end of the workload would be a failure."""
        return self.want.desired_state == "running"

    @property
    def status(self) -> InstanceState:
        """Where the instance is in its life."""
        return cast("InstanceState", self.row.status)

    def backoff_s(self, now: float) -> float:
        """Seconds until the next boot may begin; 0 when it may now. A clock set back cannot make it long."""
        longest = self._timings.backoff_cap_s * (1 + _JITTER)
        left = self.row.retry_at - now
        return left if 0 < left <= longest else 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nobody is at work on it."""
        return self.task is None and not self.has_open_boot

    @property
    def has_open_boot(self) -> bool:
        """Whether a boot has a process whose end has not been written down."""
        return self.boot is not None and self.boot.process is not None and not self.boot.has_ended

    def is_due(self, now: float) -> bool:
        """Whether somebody has to work on it now: boot it, or look after what runs."""
        if self.task is not None:
            return False
        return self.has_open_boot or (self.wants_running and not self.row.is_final and self.backoff_s(now) == 0.0)

    def log_fields(self) -> dict[str, object]:
        """What every line about the instance carries; its end, long after the boot's span, still names the deploy's trace."""
        deploy = parse(self.want.traceparent)
        linked = {"linked_trace_ids": [f"{deploy.trace_id:032x}"]} if deploy else {}
        return {"env_id": self.want.env_id, "instance_id": self.want.instance_id, **linked}

    def report(self) -> PlacedReport:
        """The instance as a heartbeat shows it."""
        return PlacedReport(
            state=self.row.status, health=self.health, pid=self.process.workload_pid() if self.process else None
        )

    # --- what happens -------------------------------------------------------------------------------

    def wish(self, want: PlannedInstance) -> None:
        """Take over what the newest plan wants."""
        is_news = want != self.want
        self.row = replace(self.row, want=want)
        self._state.keep_instance(self.row)
        if is_news:
            self.stirred.set()

    def begin(self, boot: Boot) -> None:
        """A boot begins."""
        self.health = HealthReport()
        with self._together():
            self.boot = boot
            self._state.keep_boot(boot)
            self._enter("booting", boot_id=boot.boot_id, restarts=self.row.restarts + (1 if self.row.boot_id else 0))

    def record(self, process: ProcessId) -> None:
        """The boot has a process, which has not run anything yet."""
        self._keep_boot(process=process)

    def become_ready(self) -> None:
        """The first health check passed, or the instance is wanted again while it drains."""
        with self._together():
            self._keep_boot(is_ready=True)
            if self.wants_running:
                self._enter("ready")

    def drain(self) -> None:
        """The instance stops receiving work and runs on."""
        if self.row.status != "draining":
            self._enter("draining")

    def fail(self, termination: TerminationReport, now: float) -> None:
        """The boot ended although it should run; decides when the next one may begin, or that there is none."""
        window_s = self._timings.restart_window_s
        failed_at = (*(at for at in self.row.failed_at if now - window_s < at <= now), now)
        delay = min(self._timings.backoff_cap_s, self._timings.backoff_base_s * 2 ** (len(failed_at) - 1))
        self._end(
            "failed",
            termination,
            failed_at=failed_at,
            retry_at=now + delay * random.uniform(1, 1 + _JITTER),
            is_final=len(failed_at) > self._timings.restarts,
        )

    def stop(self, termination: TerminationReport | None) -> None:
        """The instance ended as wanted; ``None`` when nothing ran."""
        self._end("stopped", termination)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Write all of the block or none of it, and remember none of it then: it will be noticed again."""
        before = self.row, self.boot
        try:
            with self._state.transaction():
                yield
        except BaseException:
            self.row, self.boot = before
            raise

    def _end(self, status: InstanceStatus, termination: TerminationReport | None, **changes: object) -> None:
        with self._together():
            if self.boot is not None:
                self._keep_boot(has_ended=True)
            self._enter(status, termination, **changes)
        self.process = None
        self.health = HealthReport()

    def _enter(self, status: InstanceStatus, termination: TerminationReport | None = None, **changes: object) -> None:
        with self._together():
            self.row = replace(self.row, status=status, **changes)  # type: ignore[arg-type]  # fields of InstanceRow
            self._state.keep_instance(self.row)
            self._state.queue(self._report(status, termination), self._traceparent())
        self._on_report()

    def _report(self, status: InstanceStatus, termination: TerminationReport | None) -> InstanceReport:
        boot = self.boot if status in ("booting", "ready", "draining") else None
        return InstanceReport(
            instance_id=self.want.instance_id,
            boot_id=self.row.boot_id,
            status=status,
            address=ADDRESS if boot else "",
            port=boot.port if boot else None,
            restarts=self.row.restarts,
            is_final=self.row.is_final,
            termination=termination,
        )

    def _traceparent(self) -> str:
        return (self.boot.traceparent if self.boot else "") or self.want.traceparent

    def _keep_boot(self, **changes: object) -> None:
        if self.boot is not None:
            self.boot = replace(self.boot, **changes)  # type: ignore[arg-type]  # fields of Boot
            self._state.keep_boot(self.boot)
