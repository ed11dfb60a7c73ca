"""Serving one scrape, however many ask for it at once.

Rendering every series is the most expensive thing the endpoint does, so it happens in a thread (a probe
never waits for it) and scrapes that arrive while one is being rendered share its result.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

from obslib.admin.aside import aside

__all__ = ["Scrape", "accepts_gzip"]

_GZIP_LEVEL = 5


class Scrape:
    """Single-flight rendering of ``exposition(accept) -> (body, content type)``."""

    def __init__(self, exposition: Callable[[str], tuple[bytes, str]]) -> None:
        self._exposition = exposition
        self._flights: dict[tuple[asyncio.AbstractEventLoop, str, bool], asyncio.Task[tuple[bytes, str]]] = {}

    async def render(self, accept: str, *, is_gzip: bool) -> tuple[bytes, str]:
        """The exposition in the format ``accept`` asks for, compressed when ``is_gzip``, and its content type."""
        key = (asyncio.get_running_loop(), accept, is_gzip)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(aside(lambda: self._render(accept, is_gzip)))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    def _render(self, accept: str, is_gzip: bool) -> tuple[bytes, str]:
        body, content_type = self._exposition(accept)
        return (gzip.compress(body, _GZIP_LEVEL, mtime=0) if is_gzip else body), content_type


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip (RFC 9110 §12.5.3); a weight of 0 refuses it."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weight = 0.0
        weights[coding.strip()] = weight
    return weights.get("gzip", weights.get("*", 0.0)) > 0
