"""The routes an operator, Prometheus and a load balancer ask: metrics, probes and what obslib knows of itself.

An ordinary ASGI application, so that a component that already serves HTTP mounts it instead of opening
another port. Everything but ``/metrics`` is JSON, mistakes included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from obslib.admin.accept import accepts_gzip
from obslib.admin.aside import Aside
from obslib.admin.scrape import Scrape

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Readiness", "admin_app"]


class Readiness(Protocol):
    """What ``/readyz`` needs of a snapshot."""

    @property
    def is_ready(self) -> bool:
        """200 rather than 503."""
        ...

    def as_dict(self) -> dict[str, object]:
        """The body."""
        ...


def admin_app(
    *,
    exposition: Callable[[str], tuple[bytes, str]],
    snapshot: Callable[[], Readiness],
    livez: Callable[[], Mapping[str, object]],
    debug: Mapping[str, Callable[[], object]],
    on_error: Callable[[str, BaseException], None] | None = None,
) -> Starlette:
    """Build the application: ``/metrics``, ``/livez``, ``/readyz`` and ``/debug/obs/<name>`` for each of ``debug``.

    ``exposition`` and the debug pages run in a thread, each at most once at a time, and are a 503 after 10 s;
    ``snapshot`` and ``livez`` answer from memory at once. What any of them raises becomes a 500 without details.
    Both are passed to ``on_error(path, error)``.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    aside = Aside()
    scrape = Scrape(exposition, aside)

    async def metrics(request: Request) -> Response:
        is_gzip = accepts_gzip(request.headers.get("accept-encoding", ""))
        body, content_type = await scrape.render(request.headers.get("accept", ""), is_gzip=is_gzip)
        headers = {"content-type": content_type, "vary": "Accept, Accept-Encoding"}
        return _respond(body, 200, headers | ({"content-encoding": "gzip"} if is_gzip else {}))

    async def live(_: Request) -> Response:
        return _json(livez(), 200)

    async def ready(_: Request) -> Response:
        seen = snapshot()
        return _json(seen.as_dict(), 200 if seen.is_ready else 503)

    async def page(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in debug:
            return _json({"error": "not_found", "pages": sorted(debug)}, 404)
        return _json(await aside.call(("page", name), debug[name]), 200)

    async def pages(_: Request) -> Response:
        return _json({"pages": sorted(debug)}, 200)

    endpoints = {
        "/metrics": metrics, "/livez": live, "/readyz": ready, "/debug/obs": pages, "/debug/obs/{name}": page,
    }  # fmt: skip
    return Starlette(
        routes=[Route(path, _contained(endpoint, on_error)) for path, endpoint in endpoints.items()],
        exception_handlers={404: _refused("not_found"), 405: _refused("method_not_allowed")},
    )


def _contained(
    endpoint: Callable[[Request], Awaitable[Response]], on_error: Callable[[str, BaseException], None] | None
) -> Callable[[Request], Awaitable[Response]]:
    async def contained(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:
            if on_error is not None:
                on_error(request.url.path, error)
            return _json({"error": "timeout"}, 503) if isinstance(error, TimeoutError) else _json({"error": "internal"}, 500)

    return contained


def _refused(code: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def refused(_: Request, error: Exception) -> Response:
        # Starlette hands an HTTPException to a handler registered by status.
        status: int = getattr(error, "status_code", 500)
        return _json({"error": code}, status, getattr(error, "headers", None))

    return refused


def _json(body: object, status: int, headers: Mapping[str, str] | None = None) -> Response:
    import orjson

    rendered = orjson.dumps(body, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return _respond(rendered, status, {"content-type": "application/json", **(headers or {})})


def _respond(body: bytes, status: int, headers: Mapping[str, str]) -> Response:
    from starlette.responses import Response

    return Response(body, status, {"cache-control": "no-store", **headers})


def _plain(value: Any) -> object:
    """What orjson cannot render: collections as lists, everything else by its ``str``."""
    return list(value) if isinstance(value, (set, frozenset, tuple)) else str(value)
