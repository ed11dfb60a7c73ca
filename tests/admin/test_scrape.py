"""Serving one scrape, however many ask for it at once."""

from __future__ import annotations

import asyncio

from obslib.admin.aside import Aside
from obslib.admin.scrape import Scrape


async def scrape_together(host):
    """How often 20 scrapes at the same time render."""
    scrape = Scrape(host.exposition, Aside())
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
    call = Aside.call

    async def alone(self, key, function):
        self._flights.clear()
        return await call(self, key, function)

    monkeypatch.setattr(Aside, "call", alone)
    assert await scrape_together(host) == 20


async def threads_for_strange_clients(host):
    """How many renderings 50 clients cause that each ask for something else, while none comes to an end."""
    scrape = Scrape(host.exposition, Aside(deadline_s=0.2))
    host.may_render.clear()
    strange = [f"application/openmetrics-text;version={n}, text/plain;q=0.{n}" for n in range(50)]
    asked = [scrape.render(accept, is_gzip=n % 2 == 0) for n, accept in enumerate([*strange, "application/openmetrics-text"])]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    host.may_render.set()
    assert {type(answer) for answer in answers} == {TimeoutError}
    begun = 0
    while host.asked.acquire(timeout=0.05):
        begun += 1
    return begun


async def test_a_client_cannot_grow_threads(host):
    """Whatever Accept headers arrive, there are four renderings, and one that hangs has one thread."""
    assert await threads_for_strange_clients(host) <= 4


async def test_mutant_with_the_raw_header_as_the_key_every_client_has_a_thread(host, monkeypatch):
    """Key the flights by what the client wrote and the test above would fail."""
    monkeypatch.setattr("obslib.admin.scrape.accepted_format", lambda accept: accept)
    assert await threads_for_strange_clients(host) > 4


async def test_the_component_never_sees_what_a_client_wrote(host):
    """The exposition is asked for one of two media types."""
    scrape = Scrape(host.exposition, Aside())
    for accept in ("application/openmetrics-text;version=99", "application/openmetrics-text; version=1.0.0", "\x00;;=,"):
        await scrape.render(accept, is_gzip=False)
    assert host.renders == ["text/plain", "application/openmetrics-text", "text/plain"]
