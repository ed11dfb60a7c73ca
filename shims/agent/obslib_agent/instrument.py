"""The one entry: binds every signal of the agent once and returns the verbs the host uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from obslib import Observability
from obslib.workload.node import LogTotals
from obslib_agent import readiness
from obslib_agent.actors import ActorKind, Actors
from obslib_agent.boots import BootPhases
from obslib_agent.control_plane import Calls, Plans, StatusReports
from obslib_agent.disks import measure_disks, measure_pressure, measure_volume_pool
from obslib_agent.drivers import (
    CacheTotals,
    Disk,
    InstanceState,
    Launcher,
    Overlay,
    ProbeTotals,
    VolumePool,
)
from obslib_agent.exec_sessions import ExecSessions
from obslib_agent.heartbeat import Heartbeat
from obslib_agent.image_cache import ImageCache
from obslib_agent.instances import Instances
from obslib_agent.overlay import OverlayScan, measure_overlay
from obslib_agent.resources import Resources
from obslib_agent.secrets import Secrets
from obslib_agent.snapshots import Snapshots
from obslib_agent.volumes import Volumes
from obslib_agent.workload_logs import WorkloadLogs

__all__ = ["Agent", "instrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What an agent tells its operator, as verbs; the loop and the boot are ``obs.loop`` and ``obs.operation``.

    ``overlay``, ``secrets``, ``volumes``, ``snapshots`` and ``actors`` are ``None`` on a host without them.
    """

    phases: BootPhases
    instances: Instances
    resources: Resources
    images: ImageCache
    overlay: OverlayScan | None
    exec_sessions: ExecSessions
    calls: Calls
    plans: Plans
    reports: StatusReports
    heartbeat: Heartbeat
    workload_logs: WorkloadLogs
    secrets: Secrets | None
    volumes: Volumes | None
    snapshots: Snapshots | None
    actors: Actors | None


def instrument(
    obs: Observability,
    *,
    launcher: Launcher,
    overlay: Overlay | None,
    disks: Sequence[Disk] = (),
    states: Callable[[], Mapping[InstanceState, int]] | None = None,
    desired: Callable[[], int] | None = None,
    logs: Callable[[], LogTotals] | None = None,
    image_cache: Callable[[], CacheTotals] | None = None,
    volume_pool: Callable[[], VolumePool] | None = None,
    overlay_probe: Callable[[], ProbeTotals] | None = None,
    delivers_secrets: bool = False,
    volume_attachments: Callable[[], int] | None = None,
    takes_snapshots: bool = False,
    actors: Callable[[], Mapping[ActorKind, int]] | None = None,
    silent_after_s: float = 60.0,
) -> Agent:
    """Wire obslib into a node agent; call it once, before the loops start.

    The callables are read at each scrape, from another thread; what is not given is absent from the metrics.
    ``volume_attachments`` counts the volumes attached now, ``actors`` the messages that wait for actors of each kind;
    that a host ``delivers_secrets`` or ``takes_snapshots``, and restores them, it says itself.
    ``silent_after_s`` is how long the control plane waits for a heartbeat before it counts the node as offline.
    """
    calls = Calls(obs)
    heartbeat = Heartbeat(obs, silent_after_s=silent_after_s)
    readiness.register(obs, launcher=launcher, overlay=overlay, disks=disks, calls=calls, heartbeat=heartbeat)
    if disks:
        measure_disks(obs, disks)
    if volume_pool is not None:
        measure_volume_pool(obs, volume_pool)
    if disks or volume_pool is not None or image_cache is not None:
        measure_pressure(obs, disks, pool=volume_pool, cache=image_cache)
    if overlay is not None:
        measure_overlay(obs, overlay, overlay_probe)
    return Agent(
        phases=BootPhases(obs),
        instances=Instances(obs, states=states, desired=desired),
        resources=Resources(obs),
        images=ImageCache(obs, image_cache),
        overlay=OverlayScan(obs, overlay) if overlay is not None else None,
        exec_sessions=ExecSessions(obs),
        calls=calls,
        plans=Plans(obs),
        reports=StatusReports(obs),
        heartbeat=heartbeat,
        workload_logs=WorkloadLogs(obs, logs),
        secrets=Secrets(obs) if delivers_secrets else None,
        volumes=Volumes(obs, volume_attachments) if volume_attachments is not None else None,
        snapshots=Snapshots(obs) if takes_snapshots else None,
        actors=Actors(obs, actors) if actors is not None else None,
    )
