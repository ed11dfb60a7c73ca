"""Signals of what a tenant delivers: releases made, and how long a deploy takes to serve (the convergence objective)."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter, histogram

_PLANE = Plane.CONTROL_PLANE
_CONVERGENCE = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@counter("release_create_total", serves=("EXT-11",), plane=_PLANE, components=("control-plane",))
def RELEASE_CREATES(*, result: Annotated[Literal["success", "rejected", "failure"], c.RESULT]) -> None:
    """Releases asked for: made, refused for a reason of the caller's, or not made for a reason of ours."""


@histogram(
    "deploy_convergence_duration_seconds", serves=("EXT-11",), plane=_PLANE, components=("scheduler",), buckets=_CONVERGENCE
)
def DEPLOY_CONVERGENCE(*, result: c.Outcome) -> None:
    """From the event that made a deploy to the decision that it has succeeded or failed; the aim is 99 % within 120 s."""
