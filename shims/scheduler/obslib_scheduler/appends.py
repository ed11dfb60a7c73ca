"""Appends to the event log, seen from the scheduler: what was written, how long it took, what got in the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from obslib import Observability
from obslib.catalog.platform import control_plane as cp
from obslib.errors import ErrorClass

__all__ = ["Appending", "Appends"]


class Appending:
    """One append transaction."""

    def __init__(self) -> None:
        self.appended: Sequence[tuple[int, str, str]] = ()

    def done(self, appended: Sequence[tuple[int, str, str]]) -> None:
        """Say what is about to be committed, as (event id, event type, aggregate type)."""
        self.appended = appended


class Appends:
    """The signals of appends, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._log = obs.log
        self._loop = obs.loop(cp.EVENT_APPEND)

    @contextmanager
    def appending(self, event_types: Sequence[str], *, traceparent: str) -> Iterator[Appending]:
        """Around one append transaction, its commit included, linked to ``traceparent``, the trace it belongs to.

        An error of class ``conflict`` is no failure.
        """
        appending = Appending()
        first = event_types[0] if event_types else ""
        with self._loop.iteration(linked=[traceparent], count=len(event_types), event_type=first) as it:
            try:
                yield appending
            except Exception as error:
                if getattr(error, "error_class", None) is ErrorClass.CONFLICT:
                    it.conflict()
                raise
            for event_id, event_type, aggregate_type in appending.appended:
                self._log.event(cp.EVENT_APPENDED, event_id=event_id, event_type=event_type, aggregate_type=aggregate_type)
