"""When a scheduler can do useful work: the database answers, and its loop moves (HLT-SC-01)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from obslib import Observability, Verdict
from obslib.catalog.platform import control_plane as cp
from obslib.database import DatabaseWatch
from obslib.health import Progress

__all__ = ["check_readiness"]

_PING_S = 0.8  # within the check's own deadline, so that a database that hangs is failing and not merely unknown


def check_readiness(
    obs: Observability, database: DatabaseWatch, *, ping: Callable[[], Awaitable[object]], loop: Progress
) -> None:
    """Register the scheduler's two checks; ``ping`` raises when the database does not answer."""

    @obs.check(cp.DB_CONNECTIVITY)
    async def db_connectivity() -> Verdict:
        is_up = False
        try:
            async with asyncio.timeout(_PING_S):
                await ping()
            is_up = True
        except Exception as error:
            return Verdict.failing("database_unreachable", type(error).__name__)
        finally:
            database.answered(is_up)
        return Verdict.ok()

    obs.health.watch(cp.LOOP_PROGRESS, loop)
