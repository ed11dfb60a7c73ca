"""The API's process: everything it needs, bound by one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from obslib import Observability
from obslib.access import Auditor, AuditSink
from obslib.database import DatabaseWatch, Figures
from obslib.retention import Discard, EventLogGuard
from obslib.workload import Limits
from obslib_control_plane.addresses import Addresses, AddressPool, PoolName
from obslib_control_plane.changes import Changes
from obslib_control_plane.commands import Commands
from obslib_control_plane.purging import Purging
from obslib_control_plane.quotas import Quotas
from obslib_control_plane.readiness import Heard, ProjectorState, check_control_plane
from obslib_control_plane.releases import Releases
from obslib_control_plane.replication import Replicas, watch_replication
from obslib_control_plane.requests import Requests
from obslib_control_plane.tokens import Tokens
from obslib_control_plane.workload_logs import WorkloadLogs

__all__ = ["ControlPlane", "instrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """The verbs of an instrumented control plane."""

    requests: Requests
    database: DatabaseWatch
    commands: Commands
    changes: Changes
    releases: Releases
    quotas: Quotas
    tokens: Tokens
    addresses: Addresses
    auditor: Auditor
    logs: WorkloadLogs
    purging: Purging
    event_log: EventLogGuard


def instrument(
    obs: Observability,
    *,
    audit: AuditSink,
    figures: Figures,
    timeouts: tuple[type[Exception], ...],
    ping: Callable[[], Awaitable[object]],
    probe_append: Callable[[], Awaitable[object]],
    projector: Callable[[], Awaitable[ProjectorState]],
    scheduler_age_s: Callable[[], Awaitable[float | None]],
    last_heard: Callable[[], Awaitable[Mapping[str, Heard]]],
    replicas: Callable[[], Awaitable[Replicas]] | None = None,
    pools: Callable[[], Mapping[PoolName, AddressPool]] | None = None,
    silent_after_s: float = 60.0,
    log_limits: Limits = Limits(),  # noqa: B008  frozen
    purge_every_s: float = 3_600.0,
    discard: Discard | None = None,
) -> ControlPlane:
    """Wire a control plane's API: audit, requests, commands, change distribution, workload logs, pool and readiness.

    ``audit`` keeps the record of every access; without one SettingsError is raised, and nothing starts.
    ``figures`` and ``timeouts`` are of its connection pool. The others are asked in the background and may raise:
    ``ping`` the database, ``probe_append`` appends and rolls back, ``projector`` and ``scheduler_age_s`` read what those
    processes last reported, ``last_heard`` every node that counts, by id. Who was not heard for ``silent_after_s`` is silent.
    ``replicas`` says how the database is replicated; without it, nothing is said about that.
    ``pools`` says, at each scrape, how full the address pools are; without it there are none.
    ``log_limits`` bound what readers of workload logs may ask for. Stores that grow old are registered with the result's
    ``purging``. ``discard`` shortens the event log where a platform has a tool for that.
    """
    auditor = Auditor(audit, obs)
    database = DatabaseWatch(obs, figures=figures, timeouts=timeouts)
    commands = Commands(obs)
    changes = Changes(obs, silent_after_s=silent_after_s)
    check_control_plane(
        obs,
        database,
        commands,
        changes,
        ping=ping,
        probe_append=probe_append,
        projector=projector,
        scheduler_age_s=scheduler_age_s,
        last_heard=last_heard,
        silent_after_s=silent_after_s,
    )
    watch_replication(obs, replicas)
    return ControlPlane(
        requests=Requests(obs), database=database, commands=commands, changes=changes, releases=Releases(obs),
        quotas=Quotas(obs), tokens=Tokens(obs), addresses=Addresses(obs, pools),
        auditor=auditor, logs=WorkloadLogs(obs, log_limits), purging=Purging(obs, every_s=purge_every_s),
        event_log=EventLogGuard(obs, obs.retention, auditor, discard=discard),
    )  # fmt: skip
