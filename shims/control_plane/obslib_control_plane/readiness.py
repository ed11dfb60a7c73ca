"""When a control plane, and when a projector, can do useful work (HLT-CP, HLT-PJ)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from obslib import Observability, Verdict
from obslib.catalog.platform import control_plane as cp

if TYPE_CHECKING:
    from obslib.database import DatabaseWatch
    from obslib_control_plane.changes import Changes
    from obslib_control_plane.commands import Commands
    from obslib_control_plane.projector import Projector

__all__ = ["Heard", "ProjectorState", "check_control_plane", "check_projector"]

_RECENT_APPEND_S = 60.0
_BEHIND = 5_000
_CATASTROPHIC = 50_000
_PING_S = 0.8  # within the check's own deadline, so that a database that hangs is failing and not merely unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorState:
    """What the projector last reported: seconds ago (None for never), and the lag of its critical projections in events."""

    age_s: float | None
    critical_lag: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A node that counts, by name, and the Unix time of its last heartbeat (None for never)."""

    name: str
    at: float | None


def check_control_plane(
    obs: Observability,
    database: DatabaseWatch,
    commands: Commands,
    nodes: Changes,
    *,
    ping: Callable[[], Awaitable[object]],
    probe_append: Callable[[], Awaitable[object]],
    projector: Callable[[], Awaitable[ProjectorState]],
    scheduler_age_s: Callable[[], Awaitable[float | None]],
    last_heard: Callable[[], Awaitable[Mapping[str, Heard]]],
    silent_after_s: float,
) -> None:
    """Register the control plane's checks."""
    _check_database(obs, database, ping)

    @obs.check(cp.EVENT_APPEND_OK)
    async def event_append() -> Verdict:
        since = commands.seconds_since_append
        if since is not None and since <= _RECENT_APPEND_S:
            return Verdict.ok("an event was appended lately")
        await probe_append()
        return Verdict.ok("a probe was appended and rolled back")

    @obs.check(cp.PROJECTIONS_OK)
    async def projections() -> Verdict:
        state = await projector()
        if state.age_s is None or state.age_s > silent_after_s:
            return Verdict.failing("projector_silent", _heard(state.age_s))
        lagging = _over(state.critical_lag, _CATASTROPHIC)
        return Verdict.failing("projections_behind", lagging) if lagging else Verdict.ok()

    @obs.check(cp.PROJECTIONS_CURRENT)
    async def projections_current() -> Verdict:
        lagging = _over((await projector()).critical_lag, _BEHIND)
        return Verdict.failing("projections_behind", lagging) if lagging else Verdict.ok()

    @obs.check(cp.SCHEDULER_OK)
    async def scheduler() -> Verdict:
        age_s = await scheduler_age_s()
        if age_s is None or age_s > silent_after_s:
            return Verdict.failing("scheduler_silent", _heard(age_s))
        return Verdict.ok()

    @obs.check(cp.CONSUMERS_REPORTING)
    async def consumers_reporting() -> Verdict:
        heard = await last_heard()
        nodes.known({node_id: node.at for node_id, node in heard.items() if node.at is not None})
        now = obs.clock.now()
        silent = sorted(node.name for node in heard.values() if node.at is None or now - node.at > silent_after_s)
        return Verdict.failing("nodes_silent", f"not heard lately: {', '.join(silent[:10])}") if silent else Verdict.ok()


def check_projector(
    obs: Observability,
    database: DatabaseWatch,
    *,
    ping: Callable[[], Awaitable[object]],
    projector: Projector,
    stalled_after_s: float,
) -> None:
    """Register the projector's checks."""
    _check_database(obs, database, ping)

    @obs.check(cp.CHECKPOINT_MOVING)
    def checkpoint_moving() -> Verdict:
        if not projector.is_behind:
            return Verdict.ok("nothing to apply")
        still_s = projector.seconds_still
        if still_s > stalled_after_s:
            return Verdict.failing("checkpoint_stalled", f"events wait, and no checkpoint moved for {still_s:.0f} s")
        return Verdict.ok()


def _check_database(obs: Observability, database: DatabaseWatch, ping: Callable[[], Awaitable[object]]) -> None:
    asked: set[asyncio.Future[object]] = set()

    @obs.check(cp.DB_CONNECTIVITY)
    async def db_connectivity() -> Verdict:
        asked.add(asyncio.ensure_future(ping()))
        answered, silent = await asyncio.wait(asked, timeout=_PING_S, return_when=asyncio.FIRST_COMPLETED)
        asked.intersection_update(silent)
        errors = [error for future in answered if (error := future.exception()) is not None]
        is_up = bool(answered) and not errors
        database.answered(is_up)
        if is_up:
            return Verdict.ok()
        return Verdict.failing("database_unreachable", type(errors[0]).__name__ if errors else "it gives no answer")


def _over(lag: Mapping[str, int], limit: int) -> str:
    return ", ".join(f"{name} by {events} events" for name, events in sorted(lag.items()) if events > limit)


def _heard(age_s: float | None) -> str:
    return "never heard" if age_s is None else f"last heard {age_s:.0f} s ago"
