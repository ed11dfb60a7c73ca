"""Why an instance ended, said the same way by the agent, the control plane and the debug views (DBG-3-02, -04, -05).

The event log knows twelve reason codes and has none for an upgrade; the class answers the operator's
question, the code and the detail carry the evidence (platform facts §10).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from pydantic import model_validator

from obslib.catalog.platform.terms import INSTANCE_REASONS
from obslib.wire.moment import Moment
from obslib.wire.record import Record, Text

__all__ = ["TerminationClass", "TerminationReport", "reason_code", "termination_class"]


class TerminationClass(StrEnum):
    """The answer to "why did it stop?" in one word."""

    OOM = "oom"
    CRASH = "crash"
    OPERATOR_ACTION = "operator_action"
    UPGRADE = "upgrade"
    SCALE_DOWN = "scale_down"
    BOOT_FAILURE = "boot_failure"
    NODE_LOST = "node_lost"
    UNKNOWN = "unknown"


_CLASS_OF_CODE: Mapping[str, TerminationClass] = MappingProxyType(
    {
        "oom_killed": TerminationClass.OOM,
        "crash_loop_backoff": TerminationClass.CRASH,
        "terminated_by_operator": TerminationClass.OPERATOR_ACTION,
        "node_draining": TerminationClass.OPERATOR_ACTION,
    }
)
_CLASS_OF_DESIRE: Mapping[str, TerminationClass] = MappingProxyType(
    {
        "rollout_replace": TerminationClass.UPGRADE,
        "scale_down": TerminationClass.SCALE_DOWN,
        "node_offline": TerminationClass.NODE_LOST,
        "node_draining": TerminationClass.OPERATOR_ACTION,
        "terminated_by_operator": TerminationClass.OPERATOR_ACTION,
        "node_shutdown": TerminationClass.OPERATOR_ACTION,
        "admin_kill": TerminationClass.OPERATOR_ACTION,
        "eviction": TerminationClass.OPERATOR_ACTION,
    }
)


def reason_code(text: str) -> tuple[str, str]:
    """The reason code and the detail that ``text`` stands for; text that is no code survives as the detail."""
    return INSTANCE_REASONS.fold(text), "" if text in INSTANCE_REASONS.values else text


def termination_class(
    *, code: str = "", exit_code: int | None = None, desired_state: str = "running", desired_reason: str = "", was_ready: bool
) -> TerminationClass:
    """The class of an end, from what was found and from what was wanted at that moment.

    An OOM kill stays one even while the instance was being replaced; otherwise the wish explains the end
    before the finding does, since a workload stopped on purpose may well exit with an error.
    """
    if code == "oom_killed":
        return TerminationClass.OOM
    if desired_state != "running":
        return _CLASS_OF_DESIRE.get(desired_reason, TerminationClass.UNKNOWN)
    if code in _CLASS_OF_CODE:
        return _CLASS_OF_CODE[code]
    if code and not was_ready:
        return TerminationClass.BOOT_FAILURE
    return TerminationClass.UNKNOWN if exit_code in (None, 0) else TerminationClass.CRASH


class TerminationReport(Record):
    """What the agent knows about the end of one boot, and of its last minute (DBG-3-03); ``None`` is what nobody measured.

    ``memory_usage_bytes`` is the last sample, taken at ``sampled_at``; ``memory_peak_bytes`` the largest figure of the whole
    boot and ``memory_limit_bytes`` its cap. The processor figures are about the window, at most the last 60 s:
    how long the boot was throttled, and the share of the time in which something of it waited for a processor.
    """

    termination_class: TerminationClass
    reason_code: str = ""
    reason_detail: Text = ""
    exit_code: int | None = None
    memory_usage_bytes: int | None = None
    memory_peak_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_cap_exceeded: bool | None = None
    cpu_throttled_seconds: float | None = None
    cpu_pressure_ratio: float | None = None
    sampled_at: Moment | None = None

    @model_validator(mode="after")
    def _code_is_known(self) -> Self:
        if self.reason_code and self.reason_code not in INSTANCE_REASONS.values:
            raise ValueError(
                f"reason_code {self.reason_code!r} is not one of {', '.join(INSTANCE_REASONS.values)}; "
                "use reason_code() to map it and keep the text in reason_detail"
            )
        return self
