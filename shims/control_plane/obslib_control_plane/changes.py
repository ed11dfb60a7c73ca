"""Changes on their way to those who consume them: agents, edges and readers of the event stream (TRC-03)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from obslib import Observability
from obslib.catalog.platform import control_plane as cp

__all__ = ["Changes"]

_LINKS = 128


class Changes:
    """The signals of change distribution and of the nodes' heartbeats, bound once."""

    def __init__(self, obs: Observability, *, silent_after_s: float) -> None:
        self._obs = obs
        self._silent_after_s = silent_after_s
        self._distribute = obs.span(cp.CHANGESTREAM_DISTRIBUTE)
        self._deliver = obs.span(cp.CHANGESTREAM_DELIVER)
        self._heartbeats = obs.metrics[cp.NODE_LAST_HEARTBEAT]
        self._heard: dict[str, float] = {}

    @contextmanager
    def delivering(self, consumer: str, *, causes: Sequence[str], cursor_event_id: int) -> Iterator[None]:
        """Around the hand-over of what a consumer has not seen.

        ``causes`` are the traceparents of what is handed over, newest first: both spans are linked to those traces.
        """
        links = list(dict.fromkeys(cause for cause in causes if cause))[:_LINKS]
        with (
            self._distribute.linked(links)(count=len(causes)),
            self._deliver.linked(links)(consumer=consumer, cursor_event_id=cursor_event_id),
        ):
            yield

    def heard(self, node_id: str, consumer: Literal["agent", "edge"], at: float) -> None:
        """A heartbeat of a node was accepted ``at`` (Unix time); a line is written when it was silent before."""
        before = self._heard.get(node_id)
        if before is None or at - before > self._silent_after_s:
            status = "first_report" if before is None else "back"
            self._obs.log.event(cp.NODE_REPORTED, node_id=node_id, consumer=consumer, status=status)
        self._heard[node_id] = at
        self._heartbeats.labels(node_id=node_id).set(at)

    def known(self, last_heard: Mapping[str, float]) -> None:
        """Every node that counts and when it was last heard (Unix time), as stored; others are forgotten."""
        self._heard.update({node_id: max(at, self._heard.get(node_id, 0.0)) for node_id, at in last_heard.items()})
        self._heartbeats.replace({(node_id,): self._heard[node_id] for node_id in last_heard})
