"""Terminations: every component says them the same way."""

import pytest

from obslib.catalog.platform.terms import INSTANCE_REASONS, TERMINATION_CLASSES
from obslib.wire import InstanceReport, TerminationClass, TerminationReport, reason_code, termination_class


def test_classes_are_those_of_the_catalog() -> None:
    """The classes on the wire are the closed set of requirements §3.5."""
    assert set(TerminationClass) == set(TERMINATION_CLASSES.values)


@pytest.mark.parametrize("code", INSTANCE_REASONS.values)
def test_a_report_with_any_code_survives_the_wire(code: str) -> None:
    """What the agent encodes is what the control plane decodes, for each of the twelve codes (DBG-3-05)."""
    sent = InstanceReport(
        instance_id="inst_1",
        boot_id="boot_1",
        status="failed",
        address="127.0.0.1",
        port=8080,
        restarts=3,
        is_final=True,
        termination=TerminationReport(
            termination_class=TerminationClass.CRASH,
            reason_code=code,
            reason_detail="exit 1",
            exit_code=1,
            memory_usage_bytes=4,
            memory_peak_bytes=5,
            memory_limit_bytes=5,
            memory_cap_exceeded=True,
            cpu_throttled_seconds=0.5,
            cpu_pressure_ratio=0.25,
            sampled_at="2026-01-31T09:30:00Z",
        ),
    )
    assert InstanceReport.model_validate_json(sent.model_dump_json()) == sent


def test_a_failure_without_a_code_is_refused() -> None:
    """A failed instance says why; the refusal names the way out (DBG-3-04)."""
    with pytest.raises(ValueError, match=r"instance 'inst_1' is reported failed without a reason_code; send termination"):
        InstanceReport(instance_id="inst_1", boot_id="boot_1", status="failed")


def test_an_unknown_code_is_refused_with_the_way_to_map_it() -> None:
    """A code outside the closed set never reaches the event log."""
    with pytest.raises(ValueError, match=r"reason_code 'exploded' is not one of .*use reason_code\(\) to map it"):
        TerminationReport(termination_class=TerminationClass.CRASH, reason_code="exploded")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oom_killed", ("oom_killed", "")),
        ("workload_crashed", ("crash_loop_backoff", "workload_crashed")),
        ("image_pull_timeout", ("image_pull_failed", "image_pull_timeout")),
        ("mount_failed: ext4", ("volume_attach_failed", "mount_failed: ext4")),
        ("decrypt_failed", ("secrets_injection_failed", "decrypt_failed")),
        ("flux capacitor", ("firecracker_start_failed", "flux capacitor")),
    ],
)
def test_unknown_text_becomes_a_code_and_keeps_its_detail(text: str, expected: tuple[str, str]) -> None:
    """Text that is no code maps to one and survives as the detail (DBG-3-04)."""
    assert reason_code(text) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"code": "oom_killed", "was_ready": True}, "oom"),
        ({"code": "oom_killed", "desired_state": "stopped", "desired_reason": "scale_down", "was_ready": True}, "oom"),
        ({"code": "crash_loop_backoff", "was_ready": False}, "crash"),
        ({"exit_code": 3, "was_ready": True}, "crash"),
        ({"exit_code": -9, "was_ready": True}, "crash"),
        ({"exit_code": 0, "was_ready": True}, "unknown"),
        ({"code": "image_pull_failed", "was_ready": False}, "boot_failure"),
        ({"code": "terminated_by_operator", "was_ready": True}, "operator_action"),
        ({"desired_state": "draining", "desired_reason": "rollout_replace", "exit_code": 1, "was_ready": True}, "upgrade"),
        ({"desired_state": "stopped", "desired_reason": "scale_down", "was_ready": True}, "scale_down"),
        ({"desired_state": "stopped", "desired_reason": "node_offline", "was_ready": True}, "node_lost"),
        ({"desired_state": "stopped", "desired_reason": "node_draining", "was_ready": True}, "operator_action"),
        ({"desired_state": "stopped", "desired_reason": "", "was_ready": True}, "unknown"),
    ],
)
def test_the_class_follows_from_finding_and_wish(found: dict[str, object], expected: str) -> None:
    """Each row of platform facts §10 gives its class."""
    assert termination_class(**found) == expected  # type: ignore[arg-type]  # the table is data
