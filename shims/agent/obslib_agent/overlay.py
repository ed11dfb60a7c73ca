"""The WireGuard overlay: peers by the age of their last handshake, and packet loss where a probe runs (MET-AG-14 to -16).

``wg show all dump`` prints private and preshared keys; nothing here keeps or passes on more than public key and time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from obslib import Observability
from obslib.catalog.platform import resources as r
from obslib.clock import Clock
from obslib_agent.drivers import FRESH_S, Overlay, ProbeTotals

__all__ = ["OverlayScan", "WireGuard", "measure_overlay"]

_INTERFACE_FIELDS, _PEER_FIELDS = 5, 9
_PUBLIC_KEY, _LATEST_HANDSHAKE = 1, 5


class WireGuard:
    """An ``Overlay`` over the text that ``dump`` returns, that of ``wg show all dump``; ``dump`` is asked from any thread."""

    def __init__(self, dump: Callable[[], str], clock: Clock, *, interface: str = "wg0") -> None:
        self._dump = dump
        self._clock = clock
        self._interface = interface

    def handshake_ages(self) -> Mapping[str, float | None] | None:
        """Seconds since the last handshake by public key, ``None`` for never; ``None`` without the interface.

        Raises ValueError on a line that ``wg`` does not print, without quoting it: it may hold a key.
        """
        now = self._clock.now()
        rows = [line.split("\t") for line in self._dump().splitlines() if line]
        if any(len(row) not in (_INTERFACE_FIELDS, _PEER_FIELDS) for row in rows):
            raise ValueError("this is not what 'wg show all dump' prints: a line has neither 5 nor 9 fields")
        ours = [row for row in rows if row[0] == self._interface]
        if all(len(row) != _INTERFACE_FIELDS for row in ours):
            return None
        return {row[_PUBLIC_KEY]: _age(row[_LATEST_HANDSHAKE], now) for row in ours if len(row) == _PEER_FIELDS}


def measure_overlay(obs: Observability, overlay: Overlay, probe: Callable[[], ProbeTotals] | None) -> None:
    """Export peers and handshakes at each scrape; an overlay without its interface has no peers to tell of."""
    obs.metrics[r.AGENT_OVERLAY_PEERS].callback(lambda: _peers(overlay.handshake_ages()))
    obs.metrics[r.AGENT_OVERLAY_HANDSHAKE_AGE_MAX].callback(lambda: max(_known(overlay.handshake_ages()), default=None))
    if probe is not None:
        obs.metrics[r.AGENT_OVERLAY_PROBE_PACKETS].mirror(lambda: {"sent": probe().sent, "lost": probe().lost})
        obs.metrics[r.AGENT_OVERLAY_PACKET_LOSS].callback(lambda: probe().max_loss_ratio)


class OverlayScan:
    """The histogram of handshake ages: one sample per peer each time the host checks the overlay's configuration."""

    def __init__(self, obs: Observability, overlay: Overlay) -> None:
        self._overlay = overlay
        self._ages = obs.metrics[r.AGENT_OVERLAY_HANDSHAKE_AGE].labels()

    def scanned(self) -> None:
        """The configuration was checked; reads the overlay once, and raises what that raises."""
        for age in _known(self._overlay.handshake_ages()):
            self._ages.observe(age)


def _age(latest_handshake: str, now: float) -> float | None:
    at = int(latest_handshake)
    return max(0.0, now - at) if at else None


def _known(ages: Mapping[str, float | None] | None) -> list[float]:
    return [age for age in (ages or {}).values() if age is not None]


def _peers(ages: Mapping[str, float | None] | None) -> dict[str, float]:
    if ages is None:
        return {}
    known = _known(ages)
    fresh = sum(age <= FRESH_S for age in known)
    return {"configured": len(ages), "fresh": fresh, "stale": len(known) - fresh, "never": len(ages) - len(known)}
