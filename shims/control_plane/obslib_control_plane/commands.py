"""The command path between authorization and answer: validate, append, wait for the views (TRC-01)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from obslib import Observability
from obslib.catalog.platform import control_plane as cp
from obslib.errors import ErrorClass

__all__ = ["Appending", "Commands"]


class Appending:
    """One append transaction, told by its host what it came to."""

    def __init__(self) -> None:
        self.appended: Sequence[tuple[int, str, str]] = ()

    def done(self, appended: Sequence[tuple[int, str, str]]) -> None:
        """Say what was committed, as (event id, event type, aggregate type), once it is."""
        self.appended = appended


class Commands:
    """The signals of commands, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._validate = obs.span(cp.COMMAND_VALIDATE)
        self._loop = obs.loop(cp.EVENT_APPEND)
        self._wait = obs.span(cp.PROJECTION_WAIT)
        self._hits = obs.metrics[cp.IDEMPOTENCY_HITS].labels()
        self._conflicts = obs.metrics[cp.IDEMPOTENCY_CONFLICTS].labels()
        self._appended_at: float | None = None

    @property
    def seconds_since_append(self) -> float | None:
        """How long ago an append last succeeded; None before the first."""
        return None if self._appended_at is None else self._obs.clock.monotonic() - self._appended_at

    def validating(self, operation: str) -> AbstractContextManager[object]:
        """Around the validation of a command against the views."""
        return self._validate(operation=operation)

    @contextmanager
    def appending(self, event_types: Sequence[str]) -> Iterator[Appending]:
        """Around one append transaction, its commit included; an error of class ``conflict`` is no failure."""
        appending = Appending()
        with self._loop.iteration(count=len(event_types), event_type=event_types[0]) as it:
            try:
                yield appending
            except Exception as error:
                if getattr(error, "error_class", None) is ErrorClass.CONFLICT:
                    it.conflict()
                raise
            self._appended_at = self._obs.clock.monotonic()
            for event_id, event_type, aggregate_type in appending.appended:
                self._obs.log.event(cp.EVENT_APPENDED, event_id=event_id, event_type=event_type, aggregate_type=aggregate_type)

    @contextmanager
    def waiting(self, event_id: int) -> Iterator[None]:
        """Around the wait for the views; a TimeoutError that leaves the block is written down."""
        began = self._obs.clock.monotonic()
        with self._wait(event_id=event_id):
            try:
                yield
            except TimeoutError:
                self._obs.log.event(
                    cp.PROJECTION_WAIT_TIMED_OUT, event_id=event_id, duration_seconds=self._obs.clock.monotonic() - began
                )
                raise

    def repeated(self) -> None:
        """A command was answered from a stored reply."""
        self._hits.inc()

    def contradicted(self) -> None:
        """An idempotency key came back with another body."""
        self._conflicts.inc()
