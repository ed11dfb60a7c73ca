"""OBS106: a label value that a client chooses."""

from __future__ import annotations

from typing import ClassVar

from obslib.lint.bounds import LabelValueRule
from obslib.lint.value import Taint

__all__ = ["LabelFromRequest"]


class LabelFromRequest(LabelValueRule):
    """A label value comes from a request: its path, a header, a query parameter, its body.

    Why: whoever sends requests decides how many series there are. One scanner that tries a million paths is a million
    series, or a label that holds nothing but ``_other`` from then on (CARD-01).

    Fix: count a word of yours instead (the route's template, one of a closed set) and fold the rest: ``KINDS.get(given,
    "other")``, or ``given if given in KINDS else "other"``. The value itself belongs on a log line, where ``platform logs``
    finds it (CARD-07).
    """

    code = "OBS106"
    name = "label-from-request"
    taints = frozenset({Taint.REQUEST})
    way_out = "a client can make a series of every value, so count one of a closed set and log the value (CARD-07)"
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp
        from starlette.requests import Request

        METHODS = {"GET": "GET", "POST": "POST"}

        class Requests:
            def __init__(self, obs: Observability) -> None:
                self._requests = obs.metrics[cp.HTTP_REQUESTS]

            def count(self, request: Request) -> None:
                method = METHODS.get(request.method, "OTHER")
                self._requests.labels(method=method, path_template="/v1/apps", status_class="2xx").inc()
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp
        from starlette.requests import Request

        class Requests:
            def __init__(self, obs: Observability) -> None:
                self._duration = partial(obs.metrics[cp.HTTP_REQUEST_DURATION].labels, path_template="/v1/apps")

            def count(self, request: Request) -> None:
                method = request.method
                if method not in ("GET", "POST"):
                    method = "OTHER"
                self._duration(method=method).observe(0.1)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp
        from starlette.requests import Request as Asked

        class Requests:
            def __init__(self, obs: Observability) -> None:
                self._obs, self._duration = obs, obs.metrics[cp.HTTP_REQUEST_DURATION]

            def count(self, asked: Asked) -> None:
                template = asked.scope["route"].path
                self._duration.labels(method="GET", path_template=template).observe(0.1)
                self._obs.log.info("asked", path=asked.url.path)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge
        from fastapi import Request

        class Proxy:
            def __init__(self, obs: Observability) -> None:
                self._clients = obs.metrics[edge.EDGE_CONNECTIONS]

            def answered(self, request: Request) -> None:
                port, result = "443", "proxied" if request.headers.get("host") else "no_route"
                self._clients.labels(listener_port=port, result=result).inc()
        """,
        """
        from flask import request
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def counting(obs: Observability):
            timed = obs.metrics[cp.HTTP_REQUEST_DURATION].labels

            def count():
                timed(method="GET", path_template=request.url_rule.rule).observe(0.1)

            return count
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp
        from starlette.requests import Request

        def count(obs: Observability, request: Request) -> None:
            obs.metrics[cp.HTTP_REQUEST_DURATION].labels(method="GET", path_template=request.url.path).observe(0.1)
        """,
        """
        import obslib as o
        from obslib.catalog.platform import edge as e
        from starlette.requests import Request as Asked

        class Proxy:
            def __init__(self, obs: o.Observability) -> None:
                self._clients = obs.metrics[e.EDGE_CONNECTIONS].labels

            async def handle(self, asked: Asked) -> None:
                port = asked.headers["x-forwarded-port"]
                self._clients(listener_port=port, result="proxied").inc()
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def count(obs: Observability, request) -> None:
            timed = partial(obs.metrics[cp.HTTP_REQUEST_DURATION].labels, method="GET")
            timed(path_template=request.path).observe(0.1)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp
        from fastapi import FastAPI, Request

        app = FastAPI()
        obs: Observability

        @app.post("/events")
        async def events(request: Request):
            body = await request.json()
            labels = {"result": body["result"]}
            obs.metrics[cp.EVENT_APPENDS].labels(**labels).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s
        from starlette.requests import Request

        def states(obs: Observability, request: Request) -> None:
            obs.metrics[s.AGENT_INSTANCES].replace({state: 1.0 for state in request.query_params.getlist("state")})
        """,
        """
        from flask import request
        from opentelemetry import metrics

        asked = metrics.get_meter("shop").create_counter("asked")

        def count():
            asked.add(1, {"agent": request.headers.get("user-agent")})
        """,
    )
