"""The routes, asked over real HTTP."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest

from obslib.admin.aside import Aside


def test_metrics_are_served_as_asked_for(client, host, text):
    """Accept chooses the format, Accept-Encoding the compression, and caches are told so."""
    plain = client.get("/metrics")
    assert (plain.content, plain.headers["content-type"]) == (text, "text/plain; version=0.0.4")
    assert "content-encoding" not in plain.headers
    with client.stream("GET", "/metrics", headers={"accept-encoding": "gzip", "accept": "application/openmetrics-text"}) as r:
        raw = b"".join(r.iter_raw())
    assert gzip.decompress(raw) == text
    assert len(raw) < len(text)
    assert r.headers["content-type"] == "application/openmetrics-text"
    assert r.headers["vary"] == "Accept, Accept-Encoding"
    assert host.renders[-1] == "application/openmetrics-text"


def test_probes_answer_by_status(client, host):
    """/livez is 200 while the process turns, /readyz 503 while it is not ready; both are JSON and never cached."""
    live, ready = client.get("/livez"), client.get("/readyz")
    assert (live.status_code, live.json(), live.headers["cache-control"]) == (200, {"status": "ok"}, "no-store")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    host.ready.is_ready = False
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json(), ready.headers["content-type"]) == (
        503, {"status": "not_ready"}, "application/json",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/debug/obs", "/debug/obs/loops"])
def test_head_is_get_without_a_body(client, path):
    """Load balancers may probe with HEAD."""
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == str(len(got.content))


def test_mistakes_are_answered_in_json(client):
    """An unknown path, an unknown page and a wrong method say so."""
    assert [(r.status_code, r.json()) for r in map(client.get, ("/nope", "/debug/obs/nope"))] == [
        (404, {"error": "not_found"}),
        (404, {"error": "not_found", "pages": ["broken", "loops"]}),
    ]
    posted = client.post("/metrics")
    assert (posted.status_code, posted.json()) == (405, {"error": "method_not_allowed"})
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_debug_pages_are_json_and_may_break_alone(client, host):
    """Sets and tuples are lists; a page that raises is a 500 without details, and is reported."""
    assert client.get("/debug/obs").json() == {"pages": ["broken", "loops"]}
    assert client.get("/debug/obs/loops").json() == {"agent": {"values": ["b"], "at": [1, 2]}}
    broken = client.get("/debug/obs/broken")
    assert (broken.status_code, broken.json()) == (500, {"error": "internal"})
    assert host.errors == [("/debug/obs/broken", "ZeroDivisionError")]


async def test_a_scrape_that_fails_is_reported_and_the_next_one_works(server, host, monkeypatch):
    """A 500 is for that scrape alone."""
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        monkeypatch.setattr(host, "may_render", None)
        assert (await client.get("/metrics")).status_code == 500
        monkeypatch.undo()
        assert (await client.get("/metrics")).status_code == 200
    assert host.errors == [("/metrics", "AttributeError")]


async def test_a_scrape_that_hangs_is_an_answer_too(host, monkeypatch):
    """After the deadline it is a 503 and reported, and probes have answered all along."""
    monkeypatch.setattr(Aside.__init__, "__kwdefaults__", {"deadline_s": 0.2})
    host.may_render.clear()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host.app()), base_url="http://shop") as client:
        scrape = asyncio.create_task(client.get("/metrics"))
        assert (await client.get("/livez")).status_code == 200
        answer = await scrape
    host.may_render.set()
    assert (answer.status_code, answer.json()) == (503, {"error": "timeout"})
    assert host.errors == [("/metrics", "TimeoutError")]


async def test_the_application_can_be_mounted(host):
    """In a component that serves HTTP already, below a path of its choice."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    transport = httpx.ASGITransport(Starlette(routes=[Mount("/obs", app=host.app())]))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        assert (await client.get("/obs/readyz")).json() == {"status": "ready"}
        assert (await client.get("/obs/nope")).json() == {"error": "not_found"}
