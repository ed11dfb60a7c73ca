"""Tokens: each that is asked for or to be refreshed, by what came of it and whose fault it was when nothing did (EXT-10)."""

from __future__ import annotations

from contextlib import AbstractContextManager

from obslib import Observability
from obslib.catalog.platform import tokens
from obslib.catalog.platform.tokens import TokenHolder
from obslib_control_plane.outcomes import telling

__all__ = ["TokenHolder", "Tokens"]


class Tokens:
    """The signals of tokens, bound once; none of them ever sees one."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._mints = obs.metrics[tokens.TOKEN_MINTS]
        self._refreshes = obs.metrics[tokens.TOKEN_REFRESHES]

    def minting(self, holder: TokenHolder) -> AbstractContextManager[None]:
        """Around one request for a token that speaks for ``holder``, its answer included."""
        return telling(self._obs, lambda result: self._mints.labels(kind=holder, result=result).inc())

    def refreshing(self) -> AbstractContextManager[None]:
        """Around one request to replace a token by a fresh one, its answer included."""
        return telling(self._obs, lambda result: self._refreshes.labels(result=result).inc())
