"""A release that crashes; the one before it goes on serving, and is deployed again."""

from __future__ import annotations

from miniplatform.demo.fault import Fault
from miniplatform.demo.stage import Stage

__all__ = ["Crash"]


class Crash(Fault):
    """The author's mistake: seen at the instance, explained by the deploy before."""

    reasons = ("crash_loop_backoff",)

    def break_it(self, stage: Stage) -> None:
        """Deploy it and do not wait: it would never be ready."""
        stage.show("deploy", str(stage.manifest("crash")), "--no-wait")

    def repair(self, stage: Stage) -> None:
        """Roll back to the release before."""
        stage.show("deploy", str(stage.manifest("web")))
