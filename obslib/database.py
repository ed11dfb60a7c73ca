"""The database as its client sees it: connections in use, waits for one, and how long operations take.

Here and not in a shim because control plane, projector and scheduler each have a pool, and shims never import each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform.terms import DbOperation
from obslib.runtime import Observability

__all__ = ["DatabaseWatch", "Figures"]

Figures = Callable[[], Mapping[str, int]]
"""The pool's present ``in_use``, ``idle``, ``maximum`` and ``waiting``; read at each scrape."""


class DatabaseWatch:
    """The signals of one connection pool, bound once; ``timeouts`` are what the pool raises when a wait is too long."""

    def __init__(self, obs: Observability, *, figures: Figures, timeouts: tuple[type[Exception], ...]) -> None:
        self._clock = obs.clock
        self._timeouts = timeouts
        self._span = obs.span(cp.DB_QUERY)
        self._duration = obs.metrics[cp.DB_QUERY_DURATION]
        self._acquire = obs.metrics[cp.DB_POOL_ACQUIRE_DURATION].labels()
        self._acquire_timeouts = obs.metrics[cp.DB_POOL_ACQUIRE_TIMEOUTS].labels()
        self._up = obs.metrics[cp.DB_UP].labels()
        obs.metrics[cp.DB_POOL_CONNECTIONS].callback(lambda: {name: figures()[name] for name in ("in_use", "idle")})
        obs.metrics[cp.DB_POOL_CONNECTIONS_MAX].callback(lambda: figures()["maximum"])
        obs.metrics[cp.DB_POOL_WAITERS].callback(lambda: figures()["waiting"])

    @contextmanager
    def acquiring(self) -> Iterator[None]:
        """Around the wait for a connection."""
        began = self._clock.monotonic()
        try:
            yield
        except self._timeouts:
            self._acquire_timeouts.inc()
            raise
        finally:
            self._acquire.observe(self._clock.monotonic() - began)

    @contextmanager
    def query(self, operation: DbOperation) -> Iterator[None]:
        """Around one database operation, named by its class; the statement is nobody's business."""
        began = self._clock.monotonic()
        try:
            with self._span(operation=operation):
                yield
        finally:
            self._duration.labels(operation=operation).observe(self._clock.monotonic() - began)

    def answered(self, is_up: bool) -> None:
        """Say whether the database answered when it was last asked."""
        self._up.set(1.0 if is_up else 0.0)
