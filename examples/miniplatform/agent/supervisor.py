"""From a wish to a running workload, and to its end: one task per instance that runs.

A slow or sick instance holds up nobody else: the reconcile loop starts these tasks and looks at what came of
them. Cancelling one leaves its workload running, to be adopted by the next agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from miniplatform.agent import health
from miniplatform.agent.caps import Caps
from miniplatform.agent.console import Consoles
from miniplatform.agent.images import Images
from miniplatform.agent.instance import Instance
from miniplatform.agent.state import Boot
from miniplatform.agent.workload import ADDRESS, Launcher, Process, StartFailed, free_port, read_ending
from miniplatform.config import Timings
from obslib import ErrorClass, Observability
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform.terms import INSTANCE_REASONS
from obslib.loops import Run
from obslib_agent import Agent, LastMinute

__all__ = ["BootFailed", "Supervisor"]

_BOOT_POLL_S = 0.1


class BootFailed(Exception):
    """A boot did not reach its first passed health check; ``reason`` is an instance reason code."""

    error_class = ErrorClass.DEPENDENCY

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Supervisor:
    """Boots, watches and ends instances."""

    def __init__(
        self,
        obs: Observability,
        agent: Agent,
        launcher: Launcher,
        caps: Caps,
        images: Images,
        consoles: Consoles,
        timings: Timings,
    ) -> None:
        self._obs = obs
        self._agent = agent
        self._boot = obs.operation(s.INSTANCE_BOOT)
        self._launcher = launcher
        self._caps = caps
        self._images = images
        self._consoles = consoles
        self._timings = timings

    async def run(self, instance: Instance, booted: Callable[[Run], None]) -> None:
        """Boot the instance unless it runs, watch it until it ends or is to end, and record how it ended."""
        with self._obs.request(), self._obs.bind(**instance.log_fields()):
            if instance.has_open_boot and instance.process is None:
                await self._end(instance)  # it ended while no agent was there
            elif instance.boot is not None and instance.has_open_boot and instance.boot.is_ready:
                await self._watch(instance)
            else:
                await self._bring_up(instance, booted)

    async def _bring_up(self, instance: Instance, booted: Callable[[Run], None]) -> None:
        want = instance.want
        adopted = instance.boot if instance.has_open_boot else None
        boot_id = adopted.boot_id if adopted else self._obs.mint("boot")
        with self._boot.under(want.traceparent)(instance_id=want.instance_id, boot_id=boot_id) as op:
            if adopted is None:
                await self._start(instance, boot_id)
            await self._until_healthy(instance)
            instance.become_ready()
            self._agent.instances.ready(self._obs.clock.now() - _running(instance)[0].begun_at)
        booted(op)
        if op.ok:
            await self._watch(instance)
        else:
            is_told = isinstance(op.error, (BootFailed, StartFailed))
            await self._end(instance, reason=op.reason, detail=str(op.error) if is_told else type(op.error).__name__)

    async def _start(self, instance: Instance, boot_id: str) -> None:
        want, port = instance.want, free_port()
        instance.begin(
            Boot(
                boot_id=boot_id,
                instance_id=want.instance_id,
                port=port,
                begun_at=self._obs.clock.now(),
                traceparent=self._obs.traces.traceparent(),
            )
        )
        self._consoles.open(want.instance_id, boot_id, is_new=True)
        with self._agent.phases.image():
            from_image = self._images.bring(want.spec.command, self._launcher.directory(boot_id), self._agent.images)
        with self._agent.phases.vmm_start():
            instance.process = await self._launcher.start(
                boot_id,
                want.spec.command,
                {**from_image, **want.spec.env, "PORT": str(port), "ADDRESS": ADDRESS, "INSTANCE_ID": want.instance_id},
                cap=self._caps.confine(boot_id, want.spec.memory_bytes),
                record=instance.record,
                on_end=instance.stirred.set,
            )

    async def _until_healthy(self, instance: Instance) -> None:
        boot, process = _running(instance)
        last_moment = boot.begun_at + self._timings.start_timeout_s
        with self._agent.phases.health():
            while (reason := await self._check(instance)) or process.has_ended:
                if process.has_ended:
                    raise BootFailed(process.ending().detail, "crash_loop_backoff")
                if instance.want.desired_state == "stopped":
                    raise BootFailed("the instance is no longer wanted", "terminated_by_operator")
                if self._obs.clock.now() >= last_moment:
                    waited = f"{self._timings.start_timeout_s:g} s"
                    raise BootFailed(f"no health check passed within {waited}: {reason}", "healthcheck_failed")
                await _pause(instance, _BOOT_POLL_S)

    async def _watch(self, instance: Instance) -> None:
        _, process = _running(instance)
        while not process.has_ended and instance.want.desired_state != "stopped":
            if instance.want.desired_state == "draining":
                instance.drain()
            elif instance.status == "draining":
                instance.become_ready()
            if instance.wants_running and instance.health.consecutive_failures >= health.FAILURES:
                detail = f"{health.FAILURES} health checks failed in a row: {instance.health.reason}"
                await self._end(instance, reason="healthcheck_failed", detail=detail)
                return
            await _pause(instance, self._timings.health_interval_s)
            if not process.has_ended:
                await self._check(instance)
        await self._end(instance)

    async def _check(self, instance: Instance) -> str:
        boot, _ = _running(instance)
        before = instance.health
        reason = await health.check(instance.want.spec.health, boot.port, self._timings.health_timeout_s)
        instance.health = health.judged(before, reason, self._obs.clock.now())
        if boot.is_ready and before.last_result not in ("unknown", instance.health.last_result):
            self._agent.instances.health_changed(instance.health.last_result, reason)
        return reason

    async def _end(self, instance: Instance, *, reason: str = "", detail: str = "") -> None:
        """See the process gone, and write down how the boot ended."""
        exit_code, was_ready, last_minute = None, False, LastMinute()
        boot, process = instance.boot, instance.process
        if boot is not None and instance.has_open_boot:
            if process is not None:
                await process.stop(self._timings.drain_s)
            ending = process.ending() if process is not None else read_ending(self._launcher.directory(boot.boot_id))
            exit_code, was_ready, detail = ending.exit_code, boot.is_ready, detail or ending.detail
            last = self._caps.last_figures(boot.boot_id, ending, instance.want.spec.memory_bytes)
            last_minute = self._agent.resources.ended(boot.boot_id, last)
        if boot is not None and not boot.has_ended:
            await self._consoles.finish(boot.boot_id)
        want = instance.want
        if instance.wants_running:
            reason = reason or "crash_loop_backoff"
        else:
            reason = want.desired_reason if want.desired_reason in INSTANCE_REASONS.values else ""
        if last_minute.memory_cap_exceeded:
            reason, detail = "oom_killed", f"memory_limit_exceeded: {self._caps.decided_by}"
        termination = self._agent.instances.terminated(
            process_type=want.process_type, reason=reason, detail=detail, exit_code=exit_code,
            desired_state=want.desired_state, desired_reason=want.desired_reason, was_ready=was_ready,
            last_minute=last_minute,
        )  # fmt: skip
        if instance.wants_running:
            instance.fail(termination, self._obs.clock.now())
            if not instance.row.is_final:
                self._agent.instances.put_aside(termination.reason_code)
        else:
            instance.stop(termination)
        if boot is not None:
            await asyncio.to_thread(self._caps.release, boot.boot_id)


def _running(instance: Instance) -> tuple[Boot, Process]:
    if instance.boot is None or instance.process is None:
        raise RuntimeError(f"instance {instance.want.instance_id!r} has no process to look at")
    return instance.boot, instance.process


async def _pause(instance: Instance, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(instance.stirred.wait(), seconds)
    instance.stirred.clear()
