"""The one entry: binds every signal of the agent once and returns the verbs the host uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from obslib import Observability
from obslib_agent import readiness
from obslib_agent.boots import BootPhases
from obslib_agent.console import count_console
from obslib_agent.control_plane import Calls, Plans, StatusReports
from obslib_agent.disks import measure_disks
from obslib_agent.drivers import ConsoleTotals, Disk, InstanceState, Launcher, Overlay
from obslib_agent.heartbeat import Heartbeat
from obslib_agent.instances import Instances

__all__ = ["Agent", "instrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What an agent tells its operator, as verbs; the loop and the boot are ``obs.loop`` and ``obs.operation``."""

    phases: BootPhases
    instances: Instances
    calls: Calls
    plans: Plans
    reports: StatusReports
    heartbeat: Heartbeat


def instrument(
    obs: Observability,
    *,
    launcher: Launcher,
    overlay: Overlay | None,
    disks: Sequence[Disk] = (),
    states: Callable[[], Mapping[InstanceState, int]] | None = None,
    desired: Callable[[], int] | None = None,
    console: Callable[[], ConsoleTotals] | None = None,
    silent_after_s: float = 60.0,
) -> Agent:
    """Wire obslib into a node agent; call it once, before the loops start.

    ``states``, ``desired`` and ``console`` are read at each scrape; what is not given is absent from the metrics.
    ``silent_after_s`` is how long the control plane waits for a heartbeat before it counts the node as offline.
    """
    calls = Calls(obs)
    heartbeat = Heartbeat(obs, silent_after_s=silent_after_s)
    readiness.register(obs, launcher=launcher, overlay=overlay, disks=disks, calls=calls, heartbeat=heartbeat)
    if disks:
        measure_disks(obs, disks)
    if console is not None:
        count_console(obs, console)
    return Agent(
        phases=BootPhases(obs),
        instances=Instances(obs, states=states, desired=desired),
        calls=calls,
        plans=Plans(obs),
        reports=StatusReports(obs),
        heartbeat=heartbeat,
    )
