"""OBS403: a readiness probe, written by hand, that may never answer."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import ClassVar

from obslib.lint.calls import arguments_of
from obslib.lint.reach import Contact, Probe
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, FunctionDefined

__all__ = ["UnboundedReadiness"]

_READINESS = Probe(
    paths=frozenset({"readyz", "ready", "readiness", "startupz"}),
    names=frozenset({"readyz", "readiness", "readiness_check", "readiness_probe", "check_readiness"}),
)
_BOUNDS: Mapping[str, tuple[str, int | None]] = {
    **{
        f"requests.{verb}": ("timeout", None)
        for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request")
    },
    **{f"subprocess.{verb}": ("timeout", None) for verb in ("run", "call", "check_call", "check_output")},
    "urllib.request.urlopen": ("timeout", 2),
    "socket.create_connection": ("timeout", 1),
    "http.client.HTTPConnection": ("timeout", 2),
    "http.client.HTTPSConnection": ("timeout", 2),
    "smtplib.SMTP": ("timeout", 3),
    "redis.Redis": ("socket_timeout", None),
    "redis.from_url": ("socket_timeout", None),
}
"""Calls that wait for ever unless they are told otherwise: the argument that tells them, and its place."""


class UnboundedReadiness(Rule[FunctionDefined]):
    """A readiness probe written by hand makes a call that has no timeout.

    Why: a dependency that hangs does not refuse, it says nothing. Then the probe says nothing either, its callers pile up, and
    whoever asks learns that the process is unwell, but not what it is waiting for.

    Fix: register a check, ``@obs.check(DECL, deadline=1)``: ``/readyz`` of obslib answers from memory, and a check past its
    deadline is unknown. Where the probe has to stay, give the call a timeout. Calls that have a timeout of their own, as
    httpx's have, are not reported.
    """

    code = "OBS403"
    name = "unbounded-readiness"
    on = FunctionDefined
    good: ClassVar[tuple[str, ...]] = (
        """
        import requests
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/readyz")
        def readyz():
            return requests.get("http://stock/ping", timeout=1).json()
        """,
        """
        import httpx as client
        from starlette.routing import Route

        async def ready(request):
            async with client.AsyncClient() as stock:
                return await stock.get("http://stock/ping")

        routes = [Route("/ready", endpoint=ready)]
        """,
        """
        import socket
        from functools import partial

        class Probe:
            def __init__(self, app) -> None:
                app.add_route("/readyz", partial(self.ready, ("db", "stock")))

            def ready(self, hosts, request):
                return [socket.create_connection((host, 80), 0.5) for host in hosts]
        """,
        """
        import requests

        LIMITS = {"timeout": 1}

        def readiness(request):
            return requests.get("http://stock/ping", **LIMITS)
        """,
        """
        import requests
        from flask import Flask

        app = Flask(__name__)

        @app.route("/orders")
        def orders():
            def inner():
                return requests.get("http://stock/orders")
            return inner()
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        import requests
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/readyz")
        def readyz():
            return requests.get("http://stock/ping").json()
        """,
        """
        from urllib.request import urlopen as ask
        from starlette.routing import Route

        def ready(request):
            return ask("http://stock/ping")

        routes = [Route("/ready", endpoint=ready)]
        """,
        """
        import socket
        from functools import partial

        class Probe:
            def __init__(self, app) -> None:
                app.add_route("/readyz", partial(self.ready, ("db", "stock")))

            def ready(self, hosts, request):
                return [socket.create_connection((host, 80)) for host in hosts]
        """,
        """
        import subprocess
        from flask import Flask

        app = Flask(__name__)

        @app.route("/health/ready")
        def ready():
            def asked():
                return subprocess.run(["pg_isready"])
            return asked().returncode
        """,
        """
        import requests

        def readiness(request):
            return requests.get("http://stock/ping", **{"timeout": None})
        """,
    )

    def check(self, use: FunctionDefined, file: File) -> Iterator[Problem]:
        """Look through the function, and through those it calls."""
        for contact in _READINESS.contacts(use, file):
            bound = _unbounded(contact, file)
            if bound:
                yield Problem(
                    contact.node,
                    f"{use.function.name}() answers for readiness, and this waits for ever when nobody answers; "
                    f"give it {bound}=, or make it a check, @obs.check(DECL, deadline=1)",
                )


def _unbounded(contact: Contact, file: File) -> str:
    """The argument that the call lacks; empty when it has one, or that cannot be told."""
    call = contact.call
    if call is None:
        return ""
    name, place = _BOUNDS.get(file.look.value(call.func, contact.scope, contact.home).name, ("", None))
    given = arguments_of(file.look, call, contact.scope, contact.home)
    bound = given.get(name, place)
    is_open = bound is None or (isinstance(bound, ast.Constant) and bound.value is None)
    return name if is_open and not given.unclear else ""
