"""Deploys: how long each took until it served, or was given up (EXT-11)."""

from __future__ import annotations

from obslib import Observability
from obslib.catalog.platform import delivery

__all__ = ["Deploys"]


class Deploys:
    """The signals of deploys, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._convergence = obs.metrics[delivery.DEPLOY_CONVERGENCE]

    def settled(self, *, has_succeeded: bool, seconds: float) -> None:
        """A deploy is over ``seconds`` after it was made; one that another overtook is not to be told here."""
        self._convergence.labels(result="success" if has_succeeded else "failure").observe(seconds)
