"""An app that wants more memory than it may have: killed, up again, killed again; its next release may have more."""

from __future__ import annotations

from contextlib import suppress

import psutil

from miniplatform.demo.fault import Fault
from miniplatform.demo.stage import Stage
from miniplatform.launcher import wait_for

__all__ = ["OutOfMemory"]

_CAP_BYTES = 64 * 2**20
_ENOUGH_BYTES = 256 * 2**20


class OutOfMemory(Fault):
    """A cap that is too small: explained by cap, peak and the release that set it, also while it is up between two ends."""

    reasons = ("oom_killed",)
    app = "hungry"

    def break_it(self, stage: Stage) -> None:
        """Deploy the hungry app under a cap that it outgrows a few seconds after it is healthy."""
        self._deploy(stage, _CAP_BYTES, "--no-wait")

    def repair(self, stage: Stage) -> None:
        """Deploy a release with a bigger cap, and see it grow past the old one."""
        self._deploy(stage, _ENOUGH_BYTES)
        with stage.step("waiting until it holds more than it might before"):
            wait_for("it to outgrow the old cap", lambda: self._held_bytes(stage) > _CAP_BYTES, deadline_s=60, every_s=0.5)

    def _deploy(self, stage: Stage, memory_bytes: int, *flags: str) -> None:
        stage.show("deploy", str(stage.manifest("hungry", memory_bytes=memory_bytes)), "--app", self.app, *flags)

    def _held_bytes(self, stage: Stage) -> int:
        pids = [i["pid"] for i in stage.instances(self.app) if i["desired_state"] == "running"]
        with suppress(psutil.NoSuchProcess):
            return sum(psutil.Process(pid).memory_info().rss for pid in pids if pid is not None)
        return 0
