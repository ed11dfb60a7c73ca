"""An agent is killed: its node cannot say any more how its instances are, and they are replaced elsewhere."""

from __future__ import annotations

from miniplatform.demo.fault import Fault
from miniplatform.demo.stage import Stage
from miniplatform.launcher import AGENTS

__all__ = ["AgentDown"]


class AgentDown(Fault):
    """A node's failure: silent first, then offline with its instances moved and not known to have ended."""

    reasons = ("node_silent", "node_offline")

    def break_it(self, stage: Stage) -> None:
        """End it as a crash would."""
        with stage.step(f"killing {AGENTS[0]} (SIGKILL)"):
            stage.platform.kill(AGENTS[0])

    def repair(self, stage: Stage) -> None:
        """Start it again; it finds what still runs on its node and ends what has been replaced."""
        with stage.step(f"starting {AGENTS[0]} again"):
            stage.platform.start(AGENTS[0])
