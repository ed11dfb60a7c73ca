"""Deploys: how long each took until it served or was given up, and its instances until they had a place (EXT-04, EXT-11)."""

from __future__ import annotations

from obslib import Observability
from obslib.catalog.platform import delivery

__all__ = ["Deploys"]


class Deploys:
    """The signals of deploys, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._scheduled = obs.metrics[delivery.TIME_TO_SCHEDULE].labels()
        self._convergence = obs.metrics[delivery.DEPLOY_CONVERGENCE]

    def placed(self, *, seconds: float) -> None:
        """An instance got its place ``seconds`` after it was wanted."""
        self._scheduled.observe(seconds)

    def settled(self, *, has_succeeded: bool, seconds: float) -> None:
        """A deploy is over ``seconds`` after it was made; one that another overtook is not to be told here."""
        self._convergence.labels(result="success" if has_succeeded else "failure").observe(seconds)
