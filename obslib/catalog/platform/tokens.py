"""Signals of tokens: each one asked for, by whom it is to speak for, and each that is to be replaced before it ends."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane, Stability
from obslib.catalog.families import counter

_PLANE = Plane.CONTROL_PLANE
_ON_CP = ("control-plane",)

TokenHolder = Literal["user", "service_principal", "node"]
TokenResult = Annotated[Literal["success", "rejected", "failure"], c.RESULT]


@counter("auth_token_mints_total", serves=("EXT-10",), plane=_PLANE, components=_ON_CP)
def TOKEN_MINTS(*, kind: Annotated[TokenHolder, c.KIND], result: TokenResult) -> None:
    """Tokens asked for, by whom they speak for: made, refused for a reason of the caller's, or not made for one of ours."""


@counter("auth_token_refreshes_total", serves=("EXT-10",), plane=_PLANE, components=_ON_CP, stability=Stability.EXPERIMENTAL)
def TOKEN_REFRESHES(*, result: TokenResult) -> None:
    """Tokens to be replaced by fresh ones, by what came of it."""
