"""``miniplatform scheduler``: puts the scheduler together and runs it until it is told to stop."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolTimeout

import obslib
from miniplatform.config import Timings
from miniplatform.process import Arguments, announce
from miniplatform.scheduler.backoff import Backoff
from miniplatform.scheduler.loop import SchedulerLoop
from miniplatform.store.migrate import migrate
from miniplatform.store.pool import Database
from obslib.errors import ErrorClass
from obslib_scheduler import instrument

__all__ = ["ERRORS", "main"]

ERRORS: dict[type[BaseException], ErrorClass] = {
    PoolTimeout: ErrorClass.TIMEOUT,
    psycopg.OperationalError: ErrorClass.UNAVAILABLE,
    psycopg.Error: ErrorClass.DEPENDENCY,
}


async def main(arguments: Arguments, timings: Timings) -> None:
    """Schedule until cancelled; raises Refusal when the database cannot be reached at the start."""
    await migrate(arguments.database_url)
    obs = obslib.start("scheduler", admin_port=arguments.admin_port, errors=ERRORS)
    database = Database(arguments.database_url)
    backoff = Backoff(base_s=2 * timings.scheduler_period_s, cap_s=timings.backoff_cap_s)
    telemetry = instrument(
        obs,
        figures=database.figures,
        timeouts=(PoolTimeout,),
        ping=lambda: database.rows("health_probe", "SELECT 1"),
        waiting=lambda: len(backoff),
        period_s=timings.scheduler_period_s,
    )
    async with obs:
        await database.open(telemetry.database)
        announce(arguments, obs.admin_address)
        try:
            await SchedulerLoop(obs, telemetry, database, backoff, timings).run()
        finally:
            await database.close()
