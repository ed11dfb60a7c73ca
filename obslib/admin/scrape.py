"""Serving one scrape, however many ask for it at once.

Rendering every series is the most expensive thing the endpoint does, so it happens in a thread (a probe
never waits for it) and scrapes that arrive while one is being rendered share its result. There are four
renderings, two formats with and without compression, and never more threads than that.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable

from obslib.admin.accept import accepted_format
from obslib.admin.aside import Aside

__all__ = ["Scrape"]

_GZIP_LEVEL = 5


class Scrape:
    """Single-flight rendering of ``exposition(accept) -> (body, content type)``.

    ``exposition`` is asked for one of two media types, never handed what a client wrote.
    """

    def __init__(self, exposition: Callable[[str], tuple[bytes, str]], aside: Aside) -> None:
        self._exposition = exposition
        self._aside = aside

    async def render(self, accept: str, *, is_gzip: bool) -> tuple[bytes, str]:
        """The exposition in the format ``accept`` asks for, compressed when ``is_gzip``, and its content type."""
        media_type = accepted_format(accept)
        return await self._aside.call(("scrape", media_type, is_gzip), lambda: self._render(media_type, is_gzip))

    def _render(self, media_type: str, is_gzip: bool) -> tuple[bytes, str]:
        body, content_type = self._exposition(media_type)
        return (gzip.compress(body, _GZIP_LEVEL, mtime=0) if is_gzip else body), content_type
