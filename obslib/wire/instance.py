"""What an agent reports about one instance."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from obslib.wire.moment import Moment
from obslib.wire.record import Record, Text
from obslib.wire.termination import TerminationReport

__all__ = ["HealthReport", "InstanceReport", "InstanceStatus"]

InstanceStatus = Literal["booting", "ready", "draining", "stopped", "failed"]


class HealthReport(Record):
    """Outcome of an instance's health checks so far (DBG-1-05)."""

    last_result: Literal["pass", "fail", "unknown"] = "unknown"
    consecutive_failures: int = Field(default=0, ge=0)
    last_checked_at: Moment | None = None
    reason: Text = ""


class InstanceReport(Record):
    """A change of an instance's status, sent when it happens.

    ``is_final`` says that this slot will not be booted again. ``failed`` without a reason code is refused (DBG-3-04).
    """

    instance_id: str
    boot_id: str
    status: InstanceStatus
    address: str = ""
    port: int | None = Field(default=None, ge=1, le=65_535)
    restarts: int = Field(default=0, ge=0)
    is_final: bool = False
    termination: TerminationReport | None = None

    @model_validator(mode="after")
    def _failure_has_a_code(self) -> Self:
        if self.status == "failed" and (self.termination is None or not self.termination.reason_code):
            raise ValueError(
                f"instance {self.instance_id!r} is reported failed without a reason_code; "
                "send termination.reason_code (requirements §3.3)"
            )
        return self
