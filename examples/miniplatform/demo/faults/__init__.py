"""What can be broken, by the word that ``BREAK=`` takes; each file breaks one thing, and repairs it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from miniplatform.demo.fault import Fault
from miniplatform.demo.faults.agent_down import AgentDown
from miniplatform.demo.faults.bad_config import BadConfig
from miniplatform.demo.faults.crash import Crash
from miniplatform.demo.faults.lag import Lag
from miniplatform.demo.faults.no_route import NoRoute
from miniplatform.demo.faults.oom import OutOfMemory

__all__ = ["FAULTS"]

FAULTS: Mapping[str, type[Fault]] = MappingProxyType(
    {
        "crash": Crash,
        "agent-down": AgentDown,
        "oom": OutOfMemory,
        "no-route": NoRoute,
        "lag": Lag,
        "bad-config": BadConfig,
    }
)
