"""Wires obslib into a scheduler: its loop, the groups it reconciles, what it decides, what waits, readiness.

``instrument`` binds every signal once and returns verbs; nothing else in the host names a signal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from obslib import Observability
from obslib.database import DatabaseWatch, Figures
from obslib_scheduler.appends import Appends
from obslib_scheduler.decisions import Decisions
from obslib_scheduler.deploys import Deploys
from obslib_scheduler.groups import Groups
from obslib_scheduler.nodes import Nodes
from obslib_scheduler.readiness import check_readiness

__all__ = ["Scheduler", "instrument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """What a scheduler calls while it works."""

    groups: Groups
    decisions: Decisions
    deploys: Deploys
    nodes: Nodes
    appends: Appends
    database: DatabaseWatch


def instrument(
    obs: Observability,
    *,
    figures: Figures,
    timeouts: tuple[type[Exception], ...],
    ping: Callable[[], Awaitable[object]],
    waiting: Callable[[], int],
    period_s: float,
) -> Scheduler:
    """Wire a scheduler that makes a pass every ``period_s``; call it once, before the first pass.

    ``figures`` and ``timeouts`` are of its connection pool, ``ping`` raises when the database does not answer, and
    ``waiting``, read at each scrape, is the number of groups in backoff.
    """
    database = DatabaseWatch(obs, figures=figures, timeouts=timeouts)
    groups = Groups(obs, period_s=period_s, waiting=waiting)
    check_readiness(obs, database, ping=ping, loop=groups.passes)
    return Scheduler(
        groups=groups, decisions=Decisions(obs), deploys=Deploys(obs), nodes=Nodes(obs), appends=Appends(obs),
        database=database,
    )  # fmt: skip
