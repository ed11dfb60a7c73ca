"""A backend as this edge sees it, and whether it takes new connections.

It does when the control plane says ready and nothing this edge tried has failed lately. Draining is the
control plane's word; reachability is the edge's own, and it forgets neither when the config changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from miniplatform.wire import EdgeBackend
from obslib.catalog.platform.edge import GateReasonName, Reachability
from obslib.catalog.platform.terms import UpstreamReasonName

__all__ = ["COOL_DOWN_CAP_S", "COOL_DOWN_S", "Backend", "GateChanged"]

COOL_DOWN_S = 1.0
"""First pause after a failure; it doubles with every further one (platform facts §14)."""
COOL_DOWN_CAP_S = 300.0
_CLOSED_EARLY: UpstreamReasonName = "closed_early"

GateChanged = Callable[["Backend", Literal["removed", "restored"], GateReasonName], None]
"""Told the backend, ``removed`` or ``restored``, and the reason it was out for."""

LocalGate = Literal["connect_failed", "probe_failed"]


class Backend:
    """One instance behind one route. Times are monotonic seconds, but for ``checked_at``, which is Unix time."""

    def __init__(self, route_id: str, wire: EdgeBackend, on_gate: GateChanged) -> None:
        self.route_id = route_id
        self.wire = wire
        self.reachability: Reachability = "unknown"
        self.last_failure_reason = ""
        self.checked_at: float | None = None
        self.next_probe = 0.0
        self._on_gate = on_gate
        self._local: LocalGate | Literal[""] = ""
        self._failures = 0
        self._was_in = self.gate == ""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What makes it the same backend in the next config: a new boot on a new port starts afresh."""
        return (self.route_id, self.wire.instance_id, self.wire.address, self.wire.port)

    @property
    def address(self) -> str:
        """Host and port, for logs."""
        return f"{self.wire.address}:{self.wire.port}"

    @property
    def gate(self) -> GateReasonName | Literal[""]:
        """Why it takes no new connections; empty while it does."""
        state = self.wire.state
        return self._local if state == "ready" else state

    def update(self, wire: EdgeBackend) -> None:
        """Take the control plane's newest word on it."""
        before, self.wire = self.gate, wire
        self._settle(before)

    def reached(self, *, now: float, wall: float, next_probe_s: float) -> None:
        """A connection or a probe got through."""
        before = self.gate
        self.reachability, self.checked_at = "reachable", wall
        self._local, self._failures = "", 0
        self.next_probe = now + next_probe_s
        self._settle(before)

    def missed(self, reason: str, *, gate: LocalGate, now: float, wall: float) -> None:
        """A connection (gate ``connect_failed``) or a probe (``probe_failed``) did not get through.

        Failures during a cool-down belong to the incident that began it and do not lengthen it.
        """
        before = self.gate
        self.reachability, self.checked_at, self.last_failure_reason = "unreachable", wall, reason
        if not self._local or now >= self.next_probe:
            self._failures += 1
            self.next_probe = now + min(COOL_DOWN_CAP_S, COOL_DOWN_S * 2 ** min(self._failures - 1, 30))
        self._local = self._local or gate
        self._settle(before)

    def closed_early(self) -> bool:
        """It took a client's connection and closed it without a word; returns whether that is news.

        That gates nothing: a client's own nonsense may have been the reason, and nobody shall take a backend from others.
        """
        is_news = self.last_failure_reason != _CLOSED_EARLY
        self.last_failure_reason = _CLOSED_EARLY
        return is_news

    def answered(self) -> None:
        """It had something to say to a client, so it does not close early any more."""
        if self.last_failure_reason == _CLOSED_EARLY:
            self.last_failure_reason = ""

    def _settle(self, before: GateReasonName | Literal[""]) -> None:
        now = self.gate
        if not before and now:
            self._on_gate(self, "removed", now)
        elif before and not now and self._was_in:
            self._on_gate(self, "restored", before)
        self._was_in = self._was_in or not now
