"""Serving one scrape, however many ask for it at once."""

from __future__ import annotations

import asyncio

import pytest

from obslib.admin.scrape import Scrape, accepts_gzip


@pytest.mark.parametrize(
    ("header", "allowed"),
    [("gzip", True), ("deflate, gzip;q=0.5", True), ("gzip;q=0", False), ("", False), ("br", False), ("*", True),
     ("*;q=0", False), ("GZIP ; q=1", True), ("gzip;q=nonsense", False), ("identity, *;q=0, gzip;q=0.1", True)],
)  # fmt: skip
def test_accept_encoding_is_read_as_the_rfc_says(header, allowed):
    """A weight of 0 refuses, a star speaks for the rest (RFC 9110 §12.5.3)."""
    assert accepts_gzip(header) is allowed


async def scrape_together(host):
    """How often 20 scrapes at the same time render."""
    scrape = Scrape(host.exposition)
    host.may_render.clear()
    asked = [asyncio.create_task(scrape.render("", is_gzip=False)) for _ in range(20)]
    await asyncio.sleep(0)
    host.may_render.set()
    assert len({body for body, _ in await asyncio.gather(*asked)}) == 1
    return len(host.renders)


async def test_scrapes_at_the_same_time_are_rendered_once(host):
    """Parallel scrapes do not multiply the work, and the next one renders afresh."""
    assert await scrape_together(host) == 1
    assert await scrape_together(host) == 2


async def test_mutant_without_sharing_every_scrape_renders(host, monkeypatch):
    """Forget the flight under way and the test above would fail."""
    render = Scrape.render

    async def alone(self, accept, *, is_gzip):
        self._flights.clear()
        return await render(self, accept, is_gzip=is_gzip)

    monkeypatch.setattr(Scrape, "render", alone)
    assert await scrape_together(host) == 20
