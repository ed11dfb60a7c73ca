"""OBS403: a readiness probe, written by hand, that may never answer."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import ClassVar

from obslib.lint.calls import Arguments, arguments_of
from obslib.lint.reach import Contact, Probe
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, FunctionDefined
from obslib.lint.value import Kind

__all__ = ["UnboundedReadiness"]

_READINESS = Probe(
    paths=frozenset({"readyz", "ready", "readiness", "startupz"}),
    names=frozenset({"readyz", "readiness", "readiness_check", "readiness_probe", "check_readiness"}),
)
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_BOUNDS: Mapping[str, tuple[str, int | None]] = {
    **{f"requests.{verb}": ("timeout", None) for verb in _VERBS},
    **{f"requests.Session.{verb}": ("timeout", None) for verb in _VERBS},
    **{f"subprocess.{verb}": ("timeout", None) for verb in ("run", "call", "check_call", "check_output")},
    "urllib.request.urlopen": ("timeout", 2),
    "socket.create_connection": ("timeout", 1),
    "http.client.HTTPConnection": ("timeout", 2),
    "http.client.HTTPSConnection": ("timeout", 2),
    "smtplib.SMTP": ("timeout", 3),
    "redis.Redis": ("socket_timeout", None),
    "redis.from_url": ("socket_timeout", None),
    **{f"{driver}.connect": ("connect_timeout", None) for driver in ("psycopg", "psycopg2")},
}
"""Calls that wait for ever unless they are told otherwise: the argument that tells them, and its place."""

_HAVE_THEIR_OWN = frozenset(
    {*(f"httpx.{verb}" for verb in (*_VERBS, "stream", "Client", "AsyncClient")), "aiohttp.ClientSession"}
)
"""Calls that have a timeout, unless they are told to have none."""


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
        import psycopg
        import requests

        def readiness(request, address: str):
            stock = requests.Session()
            with psycopg.connect("dbname=shop connect_timeout=2"), psycopg.connect(address):
                return stock.get("http://stock/ping", timeout=1)
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
        """
        import httpx
        import psycopg
        import requests

        def readiness(request):
            stock = requests.Session()
            with psycopg.connect("dbname=shop"):
                return stock.get("http://stock/ping"), httpx.get("http://mail/ping", timeout=None)
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
    callee = _callee(call, contact, file)
    name, place = ("timeout", None) if callee in _HAVE_THEIR_OWN else _BOUNDS.get(callee, ("", None))
    given = arguments_of(file.look, call, contact.scope, contact.home)
    bound = given.get(name, place)
    is_none = isinstance(bound, ast.Constant) and bound.value is None
    is_open = is_none or (
        bound is None and callee not in _HAVE_THEIR_OWN and not _is_told_in_address(name, given, contact, file)
    )
    return name if is_open and not given.unclear else ""


def _callee(call: ast.Call, contact: Contact, file: File) -> str:
    """The dotted name of what is called, a method's by the class of its object."""
    func = call.func
    if isinstance(func, ast.Attribute):
        owner = file.look.value(func.value, contact.scope, contact.home)
        if owner.kind is Kind.FOREIGN:
            return f"{owner.name}.{func.attr}"
    return file.look.value(func, contact.scope, contact.home).name


def _is_told_in_address(name: str, given: Arguments, contact: Contact, file: File) -> bool:
    """Whether the first argument holds the bound, ``connect("… connect_timeout=2")``, or may for all that is known."""
    if name != "connect_timeout" or not given.positional:
        return False
    texts = file.look.value(given.positional[0], contact.scope, contact.home).texts
    return texts is None or any(name in each for each in texts)
