"""Operations: one declaration gives span, histogram, outcome counter with reason, and failure line."""

from __future__ import annotations

import asyncio

import pytest

from obslib import context
from obslib.catalog import common as c
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform import volumes as v
from obslib.errors import UnknownSignal
from obslib.loops import WorkFailed

IDS = {"instance_id": "inst_1", "boot_id": "boot_1"}


def test_a_good_run_is_timed_and_traced(rig):
    """Nothing is logged and no failure counted."""
    boot = rig.loops.operation(s.INSTANCE_BOOT)
    with boot(**IDS) as run:
        rig.clock.advance(0.25)
    assert (run.ok, run.error, run.reason, run.seconds) == (True, None, "", 0.25)
    assert rig.samples(s.AGENT_BOOT_DURATION, "_sum") == {("success",): 0.25}
    assert rig.samples(s.AGENT_BOOT_FAILURES) == {}
    assert rig.lines == []
    assert rig.spans() == [("agent.instance_boot", False)]


def test_failures_begin_at_zero(rig):
    """Before anything failed its counter is there, so that the first failure is a step that ``increase()`` sees."""
    rig.loops.operation(s.INSTANCE_BOOT)
    rig.loops.loop(s.AGENT_RECONCILE, period=5)
    shown = {metric.name: metric.samples for metric in rig.registry.collector.collect()}
    for family in (s.AGENT_BOOT_FAILURES, s.AGENT_RECONCILE_ERRORS, c.LOOP_ERRORS):
        samples = shown[family.name.removesuffix("_total")]
        assert {sample.value for sample in samples} == {0.0}, family
        assert len(samples) == 12


def test_a_failed_run_is_contained_and_shows_everywhere(rig, launch_error):
    """The exception can be read after the block; its reason is folded into the declared ones."""
    boot = rig.loops.operation(s.INSTANCE_BOOT)
    error = launch_error("no such image", reason="image_pull_failed")
    with context.bound(instance_id="inst_1"), boot(**IDS) as run:
        rig.clock.advance(2.0)
        raise error
    assert (run.ok, run.error, run.reason, run.seconds) == (False, error, "image_pull_failed", 2.0)
    assert rig.samples(s.AGENT_BOOT_DURATION, "_sum") == {("failure",): 2.0}
    assert rig.samples(s.AGENT_BOOT_FAILURES) == {("image_pull_failed",): 1.0}
    assert rig.lines == [
        {
            "event": "instance.boot_failed", "request_id": "", "instance_id": "inst_1", "operation": "agent.instance_boot",
            "duration_seconds": 2.0, "reason": "image_pull_failed", "error": error, "trace_id": f"{1:032x}",
        }
    ]  # fmt: skip
    assert rig.spans() == [("agent.instance_boot", True)]


@pytest.mark.parametrize("error", [OSError("disk"), WorkFailed("made up")])
def test_an_unknown_reason_becomes_the_sets_fallback(rig, error):
    """A counter never sees a reason outside the closed set."""
    with rig.loops.operation(s.INSTANCE_BOOT)(**IDS) as run:
        raise error
    assert run.reason == "firecracker_start_failed"
    assert rig.samples(s.AGENT_BOOT_FAILURES) == {("firecracker_start_failed",): 1.0}


def test_a_counter_of_results_and_reasons_counts_each_run_once(rig, launch_error):
    """A success under no reason, a failure under its own: the sum over reasons is the number of runs."""
    attach = rig.loops.operation(v.VOLUME_ATTACH)
    with attach(volume_id="vol_1"):
        pass
    for reason in ("mount_failed", "busy_or_already_attached: inst_2", "made up"):
        with attach(volume_id="vol_1"):
            raise launch_error("no", reason=reason)
    assert rig.samples(v.AGENT_VOLUME_ATTACH) == {
        ("success", "none"): 1.0,
        ("failure", "mount_failed"): 1.0,
        ("failure", "busy_or_already_attached"): 1.0,
        ("failure", "volume_attach_failed"): 1.0,
    }
    assert rig.samples(v.AGENT_VOLUME_ATTACH_DURATION, "_count") == {("success",): 1.0, ("failure",): 3.0}


def test_a_run_can_fail_without_an_exception(rig):
    """fail(reason) is enough; the error stands for itself."""
    with rig.loops.operation(s.INSTANCE_BOOT)(**IDS) as run:
        run.set(boot_id="boot_2")
        run.fail("oom_killed")
    assert not run.ok
    assert (run.reason, str(run.error)) == ("oom_killed", "oom_killed")
    assert rig.samples(s.AGENT_BOOT_FAILURES) == {("oom_killed",): 1.0}
    assert [line["reason"] for line in rig.lines] == ["oom_killed"]


def test_the_reraising_variant_records_and_lets_through(rig, launch_error):
    """For callers that must see the exception."""
    boot = rig.loops.operation(s.INSTANCE_BOOT).reraising
    with pytest.raises(launch_error, match="no kernel"), boot(**IDS) as run:
        raise launch_error("no kernel")
    assert run.reason == "image_pull_failed"
    assert len(rig.lines) == 1
    assert rig.samples(s.AGENT_BOOT_FAILURES) == {("image_pull_failed",): 1.0}


async def test_cancellation_propagates_and_is_counted_nowhere(rig):
    """A boot that was cut short neither succeeded nor failed."""
    boot = rig.loops.operation(s.INSTANCE_BOOT)
    runs = []

    async def work():
        with boot(**IDS) as run:
            runs.append(run)
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (runs[0].ok, runs[0].error) == (False, None)
    assert rig.lines == []
    assert rig.samples(s.AGENT_BOOT_DURATION, "_count") == {}
    assert rig.spans() == [("agent.instance_boot", False)]


class Touchy(Exception):
    """Raises when asked for its reason."""

    @property
    def reason(self):
        """Not to be had."""
        raise RuntimeError("do not ask")


class Unspeakable:
    """Has no text."""

    def __str__(self):
        raise RuntimeError("no words")


def test_an_exception_that_raises_when_asked_is_still_the_works_own(rig):
    """Its reason property never replaces the error; the reason is the fallback, and the guard counts."""
    error = Touchy("the real failure")
    with rig.loops.operation(s.INSTANCE_BOOT)(**IDS) as run:
        raise error
    assert (run.ok, run.error, run.reason) == (False, error, "firecracker_start_failed")
    with pytest.raises(Touchy, match="the real failure"), rig.loops.operation(s.INSTANCE_BOOT).reraising(**IDS):
        raise error
    assert rig.samples(s.AGENT_BOOT_FAILURES) == {("firecracker_start_failed",): 2.0}
    assert rig.guard.last == {"loops": "RuntimeError"}
    rig.guard.last.clear()


def test_a_reason_or_error_of_a_wrong_kind_fails_the_run_without_raising(rig):
    """fail() takes what it gets: the fallback stands for a reason without text, WorkFailed for what is no exception."""
    with rig.loops.operation(s.INSTANCE_BOOT)(**IDS) as run:
        run.fail(Unspeakable(), "broken")
    assert (run.ok, run.reason, type(run.error)) == (False, "firecracker_start_failed", WorkFailed)
    assert rig.samples(c.TELEMETRY_GUARD_ERRORS) == {("loops",): 2.0}
    rig.guard.last.clear()


def test_under_and_linked_chain_and_keep_the_rest(rig, launch_error):
    """A remote parent and links go to the span, and variants keep being variants."""
    cause, parent = f"00-{9:032x}-{9:016x}-01", f"00-{8:032x}-{8:016x}-01"
    boot = rig.loops.operation(s.INSTANCE_BOOT).reraising.under(parent).linked([cause])
    with pytest.raises(launch_error), boot(**IDS):
        raise launch_error("no kernel")
    rig.tracing.flush(5.0)
    (span,) = rig.exporter.get_finished_spans()
    assert (span.context.trace_id, [link.context.trace_id for link in span.links]) == (8, [9])


def test_an_operation_of_another_component_is_refused(rig):
    """Loud at wiring."""
    with pytest.raises(UnknownSignal, match="not for component 'agent'"):
        rig.loops.operation(cp.GROUP_RECONCILE)


def test_the_designs_component_works_as_written(rig, launch_error):
    """Operation and loop together, as in the design: failures inside a pass are put aside, the pass goes on."""

    class Launcher:
        async def boot(self, want):
            rig.clock.advance(0.5)
            if want == "inst_bad":
                raise launch_error("no kernel")

    async def main():
        boot = rig.loops.operation(s.INSTANCE_BOOT)
        launcher = Launcher()
        async for it in (loop := rig.loops.loop(s.AGENT_RECONCILE, period=5)):
            missing = ["inst_good", "inst_bad"]
            assert it.cursor.position == 0
            it.pending(len(missing))
            for want in missing:
                with context.bound(instance_id=want):
                    with boot() as op:
                        await launcher.boot(want)
                    it.progress() if op.ok else it.retry_later(op.error, reason=op.reason)
            it.cursor.advance(7)
            loop.stop()
        return loop

    loop = asyncio.run(main())
    assert [(line["event"], line["instance_id"]) for line in rig.lines] == [
        ("instance.boot_failed", "inst_bad"),
        ("agent.reconcile_failed", "inst_bad"),
    ]
    assert len({line["trace_id"] for line in rig.lines}) == 1
    assert rig.samples(c.LOOP_ITERATIONS) == {("agent_reconcile", "success"): 1.0}
    assert rig.samples(s.AGENT_BOOT_DURATION, "_count") == {("success",): 1.0, ("failure",): 1.0}
    assert loop.cursor.position == 7
