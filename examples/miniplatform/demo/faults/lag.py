"""The projector is stopped in its tracks: what is written is in the log, and in no view."""

from __future__ import annotations

import os
import signal

from miniplatform.demo.fault import Fault
from miniplatform.demo.stage import Stage
from miniplatform.process import ExitCode, Refusal

__all__ = ["Lag"]

_EXIT_TRANSIENT = 6


class Lag(Fault):
    """A wedged component: alive for the operating system, silent for everybody else."""

    reasons = ("projector_silent",)

    def break_it(self, stage: Stage) -> None:
        """Stop the projector, then write; the write is accepted and says that the views do not show it."""
        with stage.step("stopping the projector where it is (SIGSTOP)"):
            _signal(stage, signal.SIGSTOP)
        stage.show("scale", "web=3", expecting=_EXIT_TRANSIENT)

    def repair(self, stage: Stage) -> None:
        """Let it go on; it takes up the log where it stood."""
        with stage.step("letting the projector go on (SIGCONT)"):
            _signal(stage, signal.SIGCONT)


def _signal(stage: Stage, number: signal.Signals) -> None:
    projector = stage.platform.find("projector")
    if projector is None:
        raise Refusal("the projector does not run", ExitCode.FAILURE)
    os.kill(projector.pid, number)
