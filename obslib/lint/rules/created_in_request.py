"""OBS503: telemetry that is made again for every request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.creation import CREATIONS, made
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, Use

__all__ = ["CreatedInRequest"]


class CreatedInRequest(Rule[Use]):
    """Something that is meant to last is made anew for every request.

    Why: binding a declaration checks it against the catalog, and making a metric registers it: both are for the start of a
    process. In a handler they slow down every request, and the mistake that would have stopped the start becomes an error
    that users see.

    Fix: bind once where the application is built, and keep what you get: on ``app.state``, in the handler's class, or in a
    variable that the handler closes over.
    """

    code = "OBS503"
    name = "created-in-request"
    on = CREATIONS
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s
        from starlette.requests import Request

        def routes(obs: Observability, app) -> None:
            boot = obs.operation(s.INSTANCE_BOOT)

            @app.post("/boots")
            async def boots(request: Request) -> None:
                with boot():
                    pass
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class Boots:
            def __init__(self, obs: Observability) -> None:
                self._desired = obs.metrics[s.AGENT_INSTANCES_DESIRED]

            async def post(self, request) -> None:
                self._desired.set(3)
        """,
        """
        import structlog
        from fastapi import Request

        async def show(request: Request) -> None:
            structlog.get_logger().info("shown", path=request.url.path)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability, app) -> None:
            def show(desired, request) -> None:
                desired.set(1)

            app.add_route("/boots", partial(show, obs.metrics[s.AGENT_INSTANCES_DESIRED]))
        """,
        """
        from opentelemetry import trace

        tracer = trace.get_tracer("shop")

        def show(request):
            return [tracer.start_span("show") for each in request.items]
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s
        from starlette.requests import Request as R

        def routes(obs: Observability, app) -> None:
            @app.post("/boots")
            async def boots(request: R) -> None:
                with obs.operation(s.INSTANCE_BOOT)():
                    pass
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class Boots:
            def __init__(self, obs: Observability) -> None:
                self._obs = obs

            async def post(self, request) -> None:
                self._obs.metrics[s.AGENT_INSTANCES_DESIRED].labels().set(3)
        """,
        """
        from fastapi import FastAPI
        from prometheus_client import Counter as C

        app = FastAPI()

        @app.get("/orders")
        def orders() -> None:
            C("shop_orders_total", "Orders.").inc()
        """,
        """
        from functools import partial
        from opentelemetry.trace import get_tracer

        def wire(app) -> None:
            def show(db) -> None:
                get_tracer("shop").start_span("show").end()

            app.add_route("/boots", partial(show, 1))
        """,
        """
        import obslib
        from flask import Flask

        app = Flask(__name__)

        @app.route("/boots")
        def boots():
            def inner():
                with obslib.start("agent") as obs:
                    obs.log.info("booted")
            inner()
        """,
        """
        from obslib.catalog import Label
        from starlette.requests import Request

        def show(request: Request) -> None:
            [Label.closed("kind", at_most=3) for _ in request.headers]
        """,
    )

    def check(self, use: Use, file: File) -> Iterator[Problem]:
        """Look at the functions around it."""
        what = made(use)
        handler = file.handler(use) if what else None
        if handler is not None:
            yield Problem(
                use.node, f"{what} for every request that {handler.name}() answers; do it once, and keep what you get"
            )
