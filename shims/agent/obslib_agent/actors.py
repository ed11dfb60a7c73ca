"""Actors of the agent by kind: what waits for them, what became of it, who had to be started again (EXT-06).

Which actor it was is in the lines, under the ids that the host has bound, and in no metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from obslib import Observability
from obslib.catalog.platform import actors as s
from obslib.catalog.platform.actors import ActorKind

__all__ = ["ActorKind", "Actors"]

_QUIET_S = 10.0


@dataclass(slots=True)
class _Overflow:
    last: float
    messages: int = 0


class Actors:
    """Counts messages and restarts. ``waiting`` tells how many messages wait, by kind; it is read at each scrape.

    Every message taken into a mailbox ends in one of ``handling``, ``coalesced`` and ``dropped``, or waits.
    """

    def __init__(self, obs: Observability, waiting: Callable[[], Mapping[ActorKind, int]]) -> None:
        self._log = obs.log
        self._clock = obs.clock
        self._messages = obs.metrics[s.AGENT_ACTOR_MESSAGES]
        self._restarts = obs.metrics[s.AGENT_ACTOR_RESTARTS]
        self._overflows: dict[ActorKind, _Overflow] = {}
        obs.metrics[s.AGENT_ACTOR_MAILBOX_DEPTH].callback(lambda: dict(waiting()))

    @contextmanager
    def handling(self, kind: ActorKind) -> Iterator[None]:
        """Around the handling of one message. An exception is a failure and goes on; a cancelled handling counts nowhere."""
        try:
            yield
        except Exception:
            self._messages.labels(kind=kind, result="failure").inc()
            raise
        self._messages.labels(kind=kind, result="success").inc()

    def coalesced(self, kind: ActorKind) -> None:
        """A message that waited was replaced by a newer one that says all it said."""
        self._messages.labels(kind=kind, result="coalesced").inc()

    def dropped(self, kind: ActorKind) -> None:
        """A full mailbox gave up its oldest message. Told at 1, 2, 4, 8, …; 10 s without one begin anew."""
        now = self._clock.monotonic()
        overflow = self._overflows.get(kind)
        if overflow is None or now - overflow.last >= _QUIET_S:
            overflow = self._overflows[kind] = _Overflow(now)
        overflow.last = now
        overflow.messages += 1
        self._messages.labels(kind=kind, result="dropped").inc()
        if overflow.messages & (overflow.messages - 1) == 0:
            self._log.event(s.ACTOR_MAILBOX_FULL, kind=kind, count=overflow.messages)

    def restarted(self, kind: ActorKind, error: BaseException, *, attempt: int, backoff_seconds: float) -> None:
        """An actor ended with ``error``; it starts again after ``backoff_seconds``, for the ``attempt``-th time in a row."""
        self._restarts.labels(kind=kind).inc()
        self._log.failure(s.ACTOR_RESTARTED, error, kind=kind, attempt=attempt, backoff_seconds=backoff_seconds)

    def degraded(self, kind: ActorKind, error: BaseException, *, attempt: int) -> None:
        """An actor ended with ``error`` after ``attempt`` restarts in a row and is given up: its part is degraded."""
        self._log.failure(s.ACTOR_DEGRADED, error, kind=kind, attempt=attempt)
