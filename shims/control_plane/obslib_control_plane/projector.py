"""The projector: the loop that applies events to views, and every event it applies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from obslib import Observability
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import durability
from obslib.database import DatabaseWatch, Figures
from obslib_control_plane.readiness import check_projector

if TYPE_CHECKING:
    from obslib.catalog.platform.terms import EventTypeLabel

__all__ = ["Projecting", "Projector", "instrument_projector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projecting:
    """One projection's position: its checkpoint, how many event ids it lacks, how old its oldest unapplied event is."""

    projection: str
    applied_event_id: int
    lag_events: int
    lag_seconds: float


class Projector:
    """The signals of the projector, bound once; ``database`` watches its pool."""

    def __init__(self, obs: Observability, database: DatabaseWatch) -> None:
        self._obs = obs
        self.database = database
        self._apply = obs.span(cp.PROJECTION_APPLY)
        self._applied_id = obs.metrics[cp.PROJECTION_LAST_APPLIED]
        self._lag = obs.metrics[cp.PROJECTION_LAG]
        self._lag_seconds = obs.metrics[cp.PROJECTION_LAG_SECONDS]
        self._processing = obs.metrics[cp.PROJECTION_PROCESSING]
        self._errors = obs.metrics[cp.PROJECTION_ERRORS]
        self._log_rows = obs.metrics[durability.EVENT_LOG_ROWS]
        self._log_size = obs.metrics[durability.EVENT_LOG_SIZE]
        self._moved_at = self._obs.clock.monotonic()
        self.is_behind = False

    @contextmanager
    def applying(self, projection: str, *, event_id: int, event_type: str, traceparent: str) -> Iterator[None]:
        """Around the application of one event to one view, in the trace that appended it."""
        began = self._obs.clock.monotonic()
        with self._apply.under(traceparent)(projection=projection, event_id=event_id, event_type=event_type):
            try:
                yield
            except Exception as error:
                error_class = self._obs.classifier.error_class(error)
                self._errors.labels(projection=projection, error_class=error_class).inc()
                self._obs.log.failure(
                    cp.PROJECTION_FAILED, error, projection=projection, event_id=event_id, event_type=event_type
                )
                raise
            self._obs.log.event(cp.PROJECTION_APPLIED, projection=projection, event_id=event_id, event_type=event_type)
        known = cast("EventTypeLabel", event_type)  # a new type is _other
        self._processing.labels(event_type=known).observe(self._obs.clock.monotonic() - began)

    def stand(self, positions: Sequence[Projecting]) -> None:
        """Where every projection stands, measured anew."""
        for at in positions:
            self._applied_id.labels(projection=at.projection).set(at.applied_event_id)
            self._lag.labels(projection=at.projection).set(at.lag_events)
            self._lag_seconds.labels(projection=at.projection).set(at.lag_seconds)
        self.is_behind = any(at.lag_events for at in positions)

    def log_holds(self, *, rows: float | None, size_bytes: int) -> None:
        """How large the event log is; ``rows`` is an estimate, None while there is none."""
        if rows is not None:
            self._log_rows.labels().set(rows)
        self._log_size.labels().set(size_bytes)

    def moved(self) -> None:
        """A checkpoint was committed."""
        self._moved_at = self._obs.clock.monotonic()

    @property
    def seconds_still(self) -> float:
        """Time since a checkpoint last moved."""
        return self._obs.clock.monotonic() - self._moved_at


def instrument_projector(
    obs: Observability,
    *,
    figures: Figures,
    timeouts: tuple[type[Exception], ...],
    ping: Callable[[], Awaitable[object]],
    stalled_after_s: float = 60.0,
) -> Projector:
    """Wire a projector: its pool, its views and its readiness.

    ``figures`` and ``timeouts`` are of its connection pool, ``ping`` raises when the database does not answer.
    Checkpoints that stand still for ``stalled_after_s`` while events wait make it not ready.
    """
    database = DatabaseWatch(obs, figures=figures, timeouts=timeouts)
    projector = Projector(obs, database)
    check_projector(obs, database, ping=ping, projector=projector, stalled_after_s=stalled_after_s)
    return projector
