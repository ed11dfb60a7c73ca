"""OBS401: a liveness probe that looks outside its process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.reach import Probe
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, FunctionDefined

__all__ = ["BlockingLiveness"]

_LIVENESS = Probe(
    paths=frozenset({"livez", "live", "liveness", "alive", "healthz", "ping", "healthy"}),
    names=frozenset({"livez", "liveness", "liveness_check", "liveness_probe", "check_liveness", "healthz", "is_alive"}),
)


class BlockingLiveness(Rule[FunctionDefined]):
    """A liveness probe waits, or asks something outside its process.

    Why: whoever gets no answer from it restarts the process. A probe that asks the database restarts every process when the
    database is slow, at once, and none of them was at fault: an incident becomes an outage.

    Fix: answer from memory; ``/livez`` of obslib does, it only says that the process turns. What depends on others belongs
    into a readiness check, ``@obs.check(DECL, deadline=1)``. Probes are known by their path (``/livez``, ``/live``,
    ``/alive``, ``/healthz``, ``/ping``, ``/-/healthy`` …) or their name (``livez``, ``liveness``, ``healthz`` …).
    """

    code = "OBS401"
    name = "blocking-liveness"
    on = FunctionDefined
    good: ClassVar[tuple[str, ...]] = (
        """
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/livez")
        async def livez():
            return {"status": "ok"}
        """,
        """
        import time
        from starlette.responses import JSONResponse as Answer
        from starlette.routing import Route

        started = time.monotonic()

        def live(request):
            return Answer({"uptime": round(time.monotonic() - started)})

        routes = [Route("/livez", endpoint=live)]
        """,
        """
        import requests
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/readyz")
        def readyz():
            return requests.get("http://stock/ping", timeout=1).json()
        """,
        """
        from functools import partial
        import threading

        class Probe:
            def __init__(self, watchdog, app) -> None:
                self.watchdog = watchdog
                self.stuck = threading.Event()
                app.add_route("/alive", partial(self.live, 3))

            def live(self, limit: int, request):
                names = [name for name, age in self.watchdog.ages().items() if age > limit]
                return {"stuck": ", ".join(names), "is_stuck": self.stuck.is_set()}
        """,
        """
        import subprocess
        from http.server import BaseHTTPRequestHandler

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/livez":
                    self.send_response(200)
                elif self.path == "/backup":
                    subprocess.run(["pg_dump"])

        class Worker:
            def is_alive(self) -> bool:
                return self.ping() and subprocess.run(["kill", "-0", "1"]).returncode == 0

            def ping(self) -> bool:
                return True
        """,
        """
        import asyncio
        from flask import Flask

        app = Flask(__name__)

        @app.route("/healthz")
        async def healthz():
            await asyncio.sleep(0)
            def later():
                open("/etc/hosts")
            return later.__name__
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        import psycopg as pg
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/livez")
        async def live():
            pg.connect("dbname=shop")
        """,
        """
        from requests import get as fetch
        from starlette.routing import Route

        def live(request):
            return fetch("http://stock/ping")

        routes = [Route("/live", endpoint=live)]
        """,
        """
        import time
        from flask import Flask

        app = Flask(__name__)

        @app.route("/healthz")
        def healthz():
            return _answer()

        def _answer():
            time.sleep(0.1)
        """,
        """
        class Shop:
            def __init__(self, db, app) -> None:
                self._db = db
                app.add_route("/ping", self.probe)

            async def probe(self, request):
                await self._db.execute("select 1")
        """,
        """
        from functools import partial

        def wire(app, pool) -> None:
            async def probe(pool, request):
                async with pool.acquire() as conn:
                    return [row for row in await conn.fetch("select 1")]

            app.add_route("/-/healthy", partial(probe, pool))
        """,
        """
        from threading import Lock

        lock = Lock()

        def liveness(request):
            with lock:
                return {}
        """,
        """
        from pathlib import Path
        from starlette.endpoints import HTTPEndpoint
        from starlette.routing import Route

        class Live(HTTPEndpoint):
            async def get(self, request):
                return {"is_there": Path("/run/shop.pid").exists()}

        routes = [Route("/alive", Live)]
        """,
        """
        import asyncio
        import socket

        def check() -> None:
            socket.create_connection(("db", 5432))

        async def livez():
            await asyncio.to_thread(check)
        """,
        """
        import httpx

        client = httpx.AsyncClient()

        def traced(function):
            return function

        @traced
        async def liveness_probe():
            return (await client.get("http://stock/ping")).status_code
        """,
        """
        import subprocess
        from http.server import BaseHTTPRequestHandler

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/livez":
                    self.told(subprocess.run(["pg_isready"]).returncode)

            def told(self, code: int) -> None: ...
        """,
    )

    def check(self, use: FunctionDefined, file: File) -> Iterator[Problem]:
        """Look through the function, and through those it calls."""
        for contact in _LIVENESS.contacts(use, file):
            yield Problem(
                contact.node,
                f"{use.function.name}() answers for liveness, and this {contact.what}; "
                "answer from memory, and make it a readiness check, @obs.check(DECL, deadline=1)",
            )
