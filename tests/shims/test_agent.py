"""The agent's shim turns what its host does into the catalog's signals, and its drivers decide what is checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from obslib import ErrorClass
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform import tenant
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib.wire import TerminationReport
from obslib.workload.node import LogTotals
from obslib_agent import Agent, Disk, instrument
from obslib_agent import disks as disks_module

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
INSTANCE = f"inst_{ULID}"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@dataclass
class StubLauncher:
    """A launcher that says which KVM device it needs."""

    kvm_device: str | None = None


@dataclass
class StubOverlay:
    """An overlay with the handshakes it is told."""

    ages: Mapping[str, float | None] | None

    def handshake_ages(self) -> Mapping[str, float | None] | None:
        """What it was told."""
        return self.ages


class Refused(Exception):
    """A call that was answered with a refusal."""

    def __init__(self, error_class: ErrorClass) -> None:
        super().__init__("no")
        self.error_class = error_class


@pytest.fixture
def clock() -> FixedClock:
    """Time that stands still."""
    return FixedClock()


@pytest.fixture
def obs(clock: FixedClock) -> Iterator[RecordedObservability]:
    """An agent's observability, recorded."""
    with observability("agent", clock=clock) as recorded:
        yield recorded


def wired(obs: RecordedObservability, **drivers: Any) -> Agent:
    """The shim with the drivers of a host that starts plain processes, or with others."""
    return instrument(obs, **{"launcher": StubLauncher(), "overlay": None, **drivers})


def check(obs: RecordedObservability, name: str) -> tuple[str, str]:
    """Status and reason of a readiness check, run now."""
    verdict = obs.health.run_now().checks[name].verdict
    return verdict.status.value, verdict.reason


# --- readiness follows from the drivers -----------------------------------------------------------


def test_without_kvm_and_overlay_their_checks_do_not_apply(obs: RecordedObservability, tmp_path: Path) -> None:
    """What the drivers do not have is not_applicable, and the agent is ready when the rest is well."""
    agent = wired(obs, disks=(Disk(kind="scratch", path=tmp_path),))
    with agent.calls.call():
        agent.heartbeat.accepted()

    found = obs.health.run_now()
    assert {name: state.verdict.status.value for name, state in found.checks.items()} == {
        "disk_ok": "ok",
        "enrolled_authenticated": "ok",
        "heartbeat_ok": "ok",
        "kvm_ok": "not_applicable",
        "overlay_up": "not_applicable",
    }
    assert found.is_ready


@pytest.mark.parametrize(("device", "verdict"), [(os.devnull, ("ok", "")), ("/nowhere/kvm", ("failing", "kvm_unusable"))])
def test_a_launcher_with_kvm_needs_its_device(obs: RecordedObservability, device: str, verdict: tuple[str, str]) -> None:
    """The device the launcher names must open for reading and writing."""
    wired(obs, launcher=StubLauncher(device))
    assert check(obs, "kvm_ok") == verdict


@pytest.mark.parametrize(
    ("ages", "verdict"),
    [
        (None, ("failing", "no_interface")),
        ({}, ("ok", "")),
        ({"a": 181.0, "b": None}, ("failing", "no_fresh_peer")),
        ({"a": 181.0, "b": 180.0, "c": None}, ("ok", "")),
    ],
)
def test_an_overlay_is_up_with_one_fresh_peer(
    obs: RecordedObservability, ages: Mapping[str, float | None] | None, verdict: tuple[str, str]
) -> None:
    """One fresh peer is enough, none of several is not, and no configured peer is fine."""
    wired(obs, overlay=StubOverlay(ages))
    assert check(obs, "overlay_up") == verdict


def test_without_disks_the_disk_check_is_unknown_until_the_host_registers_it(obs: RecordedObservability) -> None:
    """A check that nobody answers is unknown, never ok."""
    wired(obs)
    assert check(obs, "disk_ok") == ("unknown", "not_registered")


def test_a_disk_must_be_writable_with_a_tenth_free(
    obs: RecordedObservability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing directory and a full file system both take the node out, each with its reason."""
    wired(obs, disks=(Disk(kind="scratch", path=tmp_path / "missing"),))
    assert check(obs, "disk_ok") == ("failing", "not_writable")

    wired(obs, disks=(Disk(kind="scratch", path=tmp_path),))
    monkeypatch.setattr(disks_module, "_free", lambda found: disks_module._size(found) * 0.09)
    assert check(obs, "disk_ok") == ("failing", "disk_full")


def test_mutant_a_disk_check_that_looks_at_nothing_would_pass(
    obs: RecordedObservability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the threshold gone, the full disk above is called ok: the check is what catches it."""
    wired(obs, disks=(Disk(kind="scratch", path=tmp_path),))
    monkeypatch.setattr(disks_module, "_free", lambda found: disks_module._size(found) * 0.09)
    monkeypatch.setattr(disks_module, "_LEAST_FREE_SHARE", 0.0)
    assert check(obs, "disk_ok") == ("ok", "")


def test_enrolment_is_what_the_last_answer_said(obs: RecordedObservability) -> None:
    """Unknown before an answer, failing after a refusal, and unmoved by a control plane that cannot be reached."""
    agent = wired(obs)
    assert check(obs, "enrolled_authenticated") == ("unknown", "no_answer_yet")
    for error_class, verdict in (
        (ErrorClass.UNAVAILABLE, ("unknown", "no_answer_yet")),
        (ErrorClass.UNAUTHORIZED, ("failing", "refused")),
        (ErrorClass.TIMEOUT, ("failing", "refused")),
    ):
        with suppress(Refused), agent.calls.call():
            raise Refused(error_class)
        assert check(obs, "enrolled_authenticated") == verdict
    with agent.calls.call():
        pass
    assert check(obs, "enrolled_authenticated") == ("ok", "")


def test_a_heartbeat_is_missed_after_the_silence_that_is_allowed(obs: RecordedObservability, clock: FixedClock) -> None:
    """Unknown at first, ok after an accepted heartbeat, failing after 60 seconds without one."""
    agent = wired(obs)
    assert check(obs, "heartbeat_ok") == ("unknown", "no_heartbeat_yet")
    agent.heartbeat.accepted()
    clock.advance(60)
    assert check(obs, "heartbeat_ok") == ("ok", "")
    clock.advance(1)
    assert check(obs, "heartbeat_ok") == ("failing", "silent")


# --- signals --------------------------------------------------------------------------------------


def test_an_outage_is_told_and_grows_quiet(obs: RecordedObservability) -> None:
    """Every failed heartbeat is counted; failures 1, 2, 4 and 8 in a row are logged."""
    agent = wired(obs)
    for _ in range(9):
        agent.heartbeat.failed(Refused(ErrorClass.UNAVAILABLE))
    assert [line["attempt"] for line in obs.events("agent.heartbeat_failed")] == [1, 2, 4, 8]
    assert obs.sample(s.AGENT_HEARTBEATS, result="failure") == 9.0
    assert obs.sample(s.AGENT_HEARTBEAT_LAST_SUCCESS) is None
    agent.heartbeat.accepted()
    assert obs.sample(s.AGENT_HEARTBEAT_LAST_SUCCESS) == obs.clock.now()
    agent.heartbeat.failed(Refused(ErrorClass.UNAVAILABLE))
    assert [line["attempt"] for line in obs.events("agent.heartbeat_failed")] == [1, 2, 4, 8, 1]


def test_a_call_carries_the_trace_it_belongs_to(obs: RecordedObservability) -> None:
    """A report sent long after its boot still belongs to the boot's trace, and its span says how it went."""
    agent = wired(obs)
    with agent.calls.call(under=TRACEPARENT) as headers:
        pass
    with suppress(Refused), agent.calls.call(under=TRACEPARENT):
        raise Refused(ErrorClass.CONFLICT)

    good, bad = obs.spans()
    assert headers["traceparent"].split("-")[1] == TRACE
    assert f"{good.context.trace_id:032x}" == TRACE
    assert [(span.name, span.attributes["result"]) for span in (good, bad) if span.attributes] == [
        ("external.call", "success"),
        ("external.call", "failure"),
    ]


def test_the_end_of_an_instance_is_logged_and_reported_alike(obs: RecordedObservability) -> None:
    """The line and the report say the same; text that is no reason code survives in the detail."""
    agent = wired(obs)
    with obs.bind(env_id=f"env_{ULID}", instance_id=f"inst_{ULID}"):
        report = agent.instances.terminated(
            process_type="web", reason="workload_crashed", detail="exited with code 1", exit_code=1, was_ready=True
        )

    assert report == TerminationReport.model_validate(
        {
            "termination_class": "crash",
            "reason_code": "crash_loop_backoff",
            "reason_detail": "workload_crashed: exited with code 1",
            "exit_code": 1,
        }
    )
    line = obs.events("instance.terminated")[0]
    assert {name: line[name] for name in ("termination_class", "reason_code", "reason_detail", "exit_code", "instance_id")} == {
        "termination_class": "crash",
        "reason_code": "crash_loop_backoff",
        "reason_detail": "workload_crashed: exited with code 1",
        "exit_code": 1,
        "instance_id": f"inst_{ULID}",
    }


def test_a_boot_and_its_phases_are_timed_in_the_trace_that_asked_for_it(obs: RecordedObservability, clock: FixedClock) -> None:
    """The operation's span is a child of the deploy's, and each phase is a child of the boot."""
    agent = wired(obs)
    with obs.operation(s.INSTANCE_BOOT).under(TRACEPARENT)(instance_id=f"inst_{ULID}", boot_id=f"boot_{ULID}") as boot:
        with agent.phases.vmm_start():
            clock.advance(0.2)
        with agent.phases.health():
            clock.advance(0.3)

    spans = {span.name: span for span in obs.spans()}
    assert set(spans) == {"boot.vmm_start", "boot.health", "agent.instance_boot"}
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE}
    assert boot.ok
    assert round(boot.seconds, 6) == 0.5
    assert obs.sample("agent_boot_phase_duration_seconds_sum", kind="vmm_start") == pytest.approx(0.2)
    assert obs.sample("agent_boot_phase_duration_seconds_sum", kind="health") == pytest.approx(0.3)


BOOT_SPANS = (
    "boot.image", "boot.rootdisk", "boot.network", "boot.volume", "boot.vmm_start", "boot.handshake", "boot.health",
)  # fmt: skip


@pytest.mark.parametrize("name", BOOT_SPANS)
def test_every_phase_of_a_boot_has_its_span_and_its_time(obs: RecordedObservability, clock: FixedClock, name: str) -> None:
    """A phase that raises is timed too, and its span fails (TRC-08)."""
    phase = name.removeprefix("boot.")
    agent = wired(obs)
    with suppress(OSError), getattr(agent.phases, phase)():
        clock.advance(0.5)
        raise OSError("no")
    [span] = obs.spans()
    assert (span.name, span.status.is_ok) == (name, False)
    assert obs.sample("agent_boot_phase_duration_seconds_sum", kind=phase) == pytest.approx(0.5)


def test_the_set_up_of_an_exec_session_is_a_span_with_no_place_for_what_is_run(obs: RecordedObservability) -> None:
    """``agent.exec_setup`` carries the instance and no argument: the declaration has nothing else (TRC-11)."""
    with wired(obs).exec_sessions.setting_up(f"inst_{ULID}"):
        pass
    [span] = obs.spans()
    assert span.name == "agent.exec_setup"
    assert [field.name for field in s.AGENT_EXEC_SETUP.fields] == ["instance_id"]


def test_instances_and_consoles_are_read_at_each_scrape(obs: RecordedObservability) -> None:
    """A state nobody is in shows as 0, and console totals kept by the host outlive the agent."""
    totals = LogTotals(
        lines={"stdout": 7, "stderr": 1}, bytes=80, truncated_lines=2, dropped_bytes=5, forwarded_lines=3, failed_lines=1,
        dropped_lines={"rate_limited": 4}, buffer_bytes=900, unaccounted_lines=0, troubles={"disk_full": 1},
    )  # fmt: skip
    wired(obs, states=lambda: {"ready": 2}, desired=lambda: 3, logs=lambda: totals)

    assert obs.sample(s.AGENT_INSTANCES, state="ready") == 2.0
    assert obs.sample(s.AGENT_INSTANCES, state="failed") == 0.0
    assert obs.sample(s.AGENT_INSTANCES_DESIRED) == 3.0
    assert obs.sample(tenant.WORKLOAD_LOG_LINES, stream="stdout") == 7.0
    assert obs.sample(tenant.WORKLOAD_LOG_BYTES) == 80.0
    assert obs.sample(tenant.WORKLOAD_LOG_TRUNCATED) == 2.0
    assert obs.sample(tenant.WORKLOAD_LOG_DROPPED_BYTES) == 5.0
    assert obs.sample(tenant.WORKLOAD_LOG_FORWARDED, result="success") == 3.0
    assert obs.sample(tenant.WORKLOAD_LOG_FORWARDED, result="failure") == 1.0
    assert obs.sample(tenant.WORKLOAD_LOG_DROPPED, reason="rate_limited") == 4.0
    assert obs.sample(tenant.WORKLOAD_LOG_DROPPED, reason="buffer_full") == 0.0
    assert obs.sample(tenant.WORKLOAD_LOG_BUFFER) == 900.0
    assert obs.sample(tenant.WORKLOAD_LOG_UNACCOUNTED) == 0.0
    assert obs.sample(tenant.WORKLOAD_LOG_SPOOL_ERRORS, reason="disk_full") == 1.0


def test_loss_of_lines_is_told_when_it_begins_and_when_it_is_over(obs: RecordedObservability, clock: FixedClock) -> None:
    """One line for each, however often lines were lost in between; a silence of 10 s ends it."""
    logs = wired(obs).workload_logs
    for _ in range(5):
        logs.lost(INSTANCE, "rate_limited", 100)
        clock.advance(9.0)
        logs.settle()
    clock.advance(1.0)
    logs.settle()
    logs.settle()

    [began] = obs.events("workload_log.loss_began")
    [ended] = obs.events("workload_log.loss_ended")
    assert (began["instance_id"], began["reason"], began["level"]) == (INSTANCE, "rate_limited", "warn")
    assert (ended["instance_id"], ended["count"], ended["duration_seconds"]) == (INSTANCE, 500, 36.0)


def test_failures_of_capture_and_forwarding_grow_quiet(obs: RecordedObservability) -> None:
    """Failures 1, 2, 4 and 8 in a row are told; success begins a new row."""
    logs = wired(obs).workload_logs
    for attempt in range(1, 11):
        logs.capture_failed(OSError("full"))
        logs.forward_failed(OSError("gone"), attempt)
    logs.captured()
    logs.capture_failed(OSError("full"))

    assert [line["attempt"] for line in obs.events("workload_log.forward_failed")] == [1, 2, 4, 8]
    assert [line["attempt"] for line in obs.events("workload_log.capture_failed")] == [1, 2, 4, 8, 1]


def test_a_new_plan_is_linked_to_what_changed_in_it(obs: RecordedObservability) -> None:
    """Taking over a plan is a span linked to the deploys behind it, and one line; a plan that fails is no line."""
    agent = wired(obs)
    with agent.plans.applying(plan_id="plan-1", event_id=12, count=2, causes=[TRACEPARENT]):
        pass
    with suppress(RuntimeError), agent.plans.applying(plan_id="plan-2", event_id=13, count=0, causes=[]):
        raise RuntimeError

    applied = next(span for span in obs.spans() if span.name == "agent.config_apply")
    assert [f"{link.context.trace_id:032x}" for link in applied.links] == [TRACE]
    (line,) = obs.events("agent.config_applied")
    assert (line["plan_id"], line["applied_event_id"], line["count"], line["linked_trace_ids"]) == ("plan-1", 12, 2, [TRACE])


def test_a_health_check_that_turns_is_a_line_with_its_instance(obs: RecordedObservability) -> None:
    """What was found and why, under the id that is bound (DBG-1-05)."""
    agent = wired(obs)
    with obs.bind(instance_id=f"inst_{ULID}"):
        agent.instances.health_changed("fail", "connection refused")
    (line,) = obs.events("instance.health_changed")
    found = (line["level"], line["instance_id"], line["status"], line["reason"])
    assert found == ("warn", f"inst_{ULID}", "fail", "connection refused")


def test_backoffs_and_reports_are_counted(obs: RecordedObservability) -> None:
    """Every instance put aside counts under its reason; every report under its result."""
    agent = wired(obs)
    agent.instances.put_aside("crash_loop_backoff")
    agent.reports.accepted()
    agent.reports.failed()
    assert obs.sample(s.AGENT_BACKOFFS, reason="crash_loop_backoff") == 1.0
    assert obs.sample(s.AGENT_STATUS_REPORTS, result="success") == 1.0
    assert obs.sample(s.AGENT_STATUS_REPORTS, result="failure") == 1.0
