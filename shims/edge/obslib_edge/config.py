"""The way of a config from the control plane into the listeners.

Only an attempt to apply a config that differs from the applied one is a reload; polls that find nothing
new are iterations of the loop and nothing else. A config that is in force but for some refused routes is a
failed reload, and is counted again as long as they stay refused, or the alert would go out by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

from obslib import Observability
from obslib.catalog.platform import consumers, edge
from obslib.loops import BoundLoop, Iteration

__all__ = ["REMIND_S", "Applied", "ConfigApply"]

REMIND_S = 300.0
"""A reload that stays incomplete is counted again this often, within the alert's window of ten minutes (ALR-07)."""


class Applied(Protocol):
    """Called once the listeners serve the new config."""

    def __call__(self, *, routes_loaded: int, routes_refused: int = 0) -> None:
        """``routes_loaded`` is the number of routes in it; ``routes_refused`` of them could not be served as asked."""
        ...


class ConfigApply:
    """Counts, times and traces config applies, and remembers when the control plane was last heard."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._reloads = obs.metrics[edge.EDGE_CONFIG_RELOADS]
        self._duration = obs.metrics[edge.EDGE_CONFIG_RELOAD_DURATION]
        self._applied_event = obs.metrics[edge.EDGE_CONFIG_APPLIED_EVENT].labels()
        self._last_success = obs.metrics[edge.EDGE_CONFIG_LAST_SUCCESS].labels()
        self._call = obs.span(consumers.EXTERNAL_CALL)
        self._heard_at: float | None = None
        self._reminded_at: float | None = None
        self.is_loaded = False
        """Whether any config was applied, from the control plane or from disk."""

    def polls(self, period_s: float) -> BoundLoop:
        """The loop that asks for the config every ``period_s`` and applies what is new."""
        return self._obs.loop(edge.EDGE_ROUTING, period=period_s)

    @contextmanager
    def asking(self) -> Iterator[dict[str, str]]:
        """Around one call for the config; yields the headers that carry the trace."""
        headers: dict[str, str] = {}
        with self._call(operation="agent_rpc", peer_component="control-plane"):
            self._obs.traces.inject(headers)
            yield headers
        self._heard_at = self._obs.clock.monotonic()

    @contextmanager
    def applying(self, it: Iteration, event_id: int, traceparents: Sequence[str]) -> Iterator[Applied]:
        """Around one attempt to apply a config that differs from the applied one, in iteration ``it`` of the loop.

        ``traceparents`` are those of what changed. The block calls what is yielded once the config is in force;
        without that call, with refused routes, or with an exception, which is passed on, the attempt is a failure.
        """
        it.link(traceparents)
        it.set(applied_event_id=event_id)
        begun = self._obs.clock.monotonic()
        result: Literal["success", "failure"] = "failure"

        def applied(*, routes_loaded: int, routes_refused: int = 0) -> None:
            nonlocal result
            result = "failure" if routes_refused else "success"
            self._reminded_at = begun if routes_refused else None
            self._in_force(event_id)
            self._obs.log.event(edge.EDGE_CONFIG_APPLIED, routes_loaded=routes_loaded, applied_event_id=event_id)

        try:
            yield applied
        finally:
            self._reloads.labels(result=result).inc()
            self._duration.labels(result=result).observe(self._obs.clock.monotonic() - begun)

    def stays_incomplete(self) -> None:
        """Routes of the config in force are still refused; counts one more failed reload every ``REMIND_S``."""
        now = self._obs.clock.monotonic()
        if self._reminded_at is None or now - self._reminded_at >= REMIND_S:
            self._reminded_at = now
            self._reloads.labels(result="failure").inc()

    def answers_to(self, event_id: int) -> None:
        """The applied config is what the control plane wants as of ``event_id``."""
        self._applied_event.set(event_id)

    def restored(self, event_id: int) -> None:
        """A config saved earlier is in force; that is no reload."""
        self._obs.loop(edge.EDGE_ROUTING).cursor.restore(event_id)
        self._in_force(event_id)

    def silent_for_s(self) -> float | None:
        """Seconds since the control plane last answered; None before the first answer."""
        return None if self._heard_at is None else self._obs.clock.monotonic() - self._heard_at

    def _in_force(self, event_id: int) -> None:
        self.is_loaded = True
        self._applied_event.set(event_id)
        self._last_success.set(self._obs.clock.now())
