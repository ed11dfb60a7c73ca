"""The projector's process: follows the log, applies what is new, and says how far it is.

It may be killed at any moment: view and checkpoint move in one transaction, so it resumes where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import psycopg
import psycopg_pool

import obslib
from miniplatform.config import Timings
from miniplatform.process import Arguments, announce
from miniplatform.projector.work import Work
from miniplatform.store.migrate import migrate
from miniplatform.store.notices import Notices
from miniplatform.store.pool import Database
from obslib.catalog.platform import control_plane as cp
from obslib.errors import ErrorClass
from obslib_control_plane import instrument_projector

__all__ = ["main"]

ERRORS: Mapping[type[BaseException], ErrorClass] = {
    psycopg.OperationalError: ErrorClass.UNAVAILABLE,
    psycopg.Error: ErrorClass.DEPENDENCY,
}


async def main(arguments: Arguments, timings: Timings) -> None:
    """Project until cancelled; raises Refusal when the database does not answer at the start."""
    await migrate(arguments.database_url)
    obs = obslib.start("projector", admin_port=arguments.admin_port, errors=ERRORS)
    async with obs:
        database = Database(arguments.database_url)
        telemetry = instrument_projector(
            obs,
            figures=database.figures,
            timeouts=(psycopg_pool.PoolTimeout,),
            ping=lambda: database.row("health_probe", "SELECT 1"),
            stalled_after_s=timings.silent_after_s,
        )
        await database.open(telemetry.database)
        notices = Notices(arguments.database_url, "events")
        loop = obs.loop(cp.PROJECTIONS, period=timings.projector_poll_s)
        helpers = [asyncio.create_task(notices.run()), asyncio.create_task(_wake(notices, loop))]
        work = Work(database, telemetry, report_every_s=timings.heartbeat_s)
        announce(arguments, obs.admin_address)
        try:
            async for it in loop:
                with it:
                    where = await work.look()
                    waiting = [at.projection for at in where if at.lag_events]
                    it.pending(len(waiting))
                    for projection in waiting:
                        error = await work.apply(projection)
                        it.progress() if error is None else it.retry_later(error)
                    await work.report(where)
        finally:
            for helper in helpers:
                helper.cancel()
            await database.close()


class _Waking(Protocol):
    def wake(self) -> None: ...


async def _wake(notices: Notices, loop: _Waking) -> None:
    while True:
        await notices.after(notices.count, timeout_s=60.0)
        loop.wake()
