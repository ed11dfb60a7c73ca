"""Releases: each that is asked for, by whether it was made and whose fault it was when not (EXT-11)."""

from __future__ import annotations

from contextlib import AbstractContextManager

from obslib import Observability
from obslib.catalog.platform import delivery
from obslib_control_plane.outcomes import telling

__all__ = ["Releases"]


class Releases:
    """The signals of releases, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._creates = obs.metrics[delivery.RELEASE_CREATES]

    def creating(self) -> AbstractContextManager[None]:
        """Around one request to make a release, its answer included; what the caller can mend is no failure of ours."""
        return telling(self._obs, lambda result: self._creates.labels(result=result).inc())
