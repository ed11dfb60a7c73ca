"""What a fault is, and how each is endured: break it, wait for its explanation, repair it, wait until all is well."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import httpx

from miniplatform.demo.stage import Stage
from miniplatform.launcher import wait_for

__all__ = ["EXPLAINED_WITHIN_S", "Fault", "endure"]

EXPLAINED_WITHIN_S = 15.0
_HEALED_WITHIN_S = 60.0


class Fault(ABC):
    """One way to break the platform or an app for real. An object is used once."""

    reasons: ClassVar[tuple[str, ...]]
    """The reason codes by which ``why env`` names it: one, or one after the other as the platform learns more."""
    app: ClassVar[str] = "web"
    """Whose env prod is asked."""

    @abstractmethod
    def break_it(self, stage: Stage) -> None:
        """Break it; returns when it is broken."""

    @abstractmethod
    def repair(self, stage: Stage) -> None:
        """Undo the cause, as an operator or the app's author would."""


def endure(stage: Stage, fault: Fault) -> None:
    """Break, explain, repair; raises Refusal when the explanation or the recovery does not come in time."""
    fault.break_it(stage)
    with stage.step(f"waiting for the reason, at most {EXPLAINED_WITHIN_S:g} s"):
        wait_for(
            f"'why env' to name {' or '.join(fault.reasons)}",
            lambda: _answer(stage, fault).get("reason_code") in fault.reasons,
            deadline_s=EXPLAINED_WITHIN_S,
            every_s=0.1,
        )
    stage.show("why", "env", "prod", "--app", fault.app)
    stage.show("describe", "env", "prod", "--app", fault.app)
    broken = _answer(stage, fault).get("first_broken")
    if isinstance(broken, dict) and str(broken["subject"]).startswith("inst_"):
        stage.show("describe", "instance", broken["subject"], "--app", fault.app)
    fault.repair(stage)
    with stage.step("waiting until 'why env' says healthy"):
        wait_for(
            "the repair to show",
            lambda: _answer(stage, fault).get("is_healthy") is True,
            deadline_s=_HEALED_WITHIN_S,
            every_s=0.1,
        )
    stage.show("why", "env", "prod", "--app", fault.app)


def _answer(stage: Stage, fault: Fault) -> dict[str, object]:
    """The present answer; empty when the API gives none this time."""
    try:
        return stage.why(fault.app)
    except httpx.HTTPError:
        return {}
