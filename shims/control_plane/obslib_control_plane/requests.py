"""Every HTTP request: its id, its trace, its figures and its line, whatever the application does inside.

Plain ASGI, because it must see all of them, also those no route matches and those that fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from obslib import Observability
from obslib.catalog.platform import control_plane as cp
from obslib_control_plane.exchange import AsgiApp, Exchange, Receive, Scope, Send, request_id_in, trace_headers_of
from obslib_control_plane.problems import class_of

__all__ = ["Requests"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OTHER"]

_METHODS: Mapping[str, Method] = {method: method for method in get_args(Method)}


class Requests:
    """The signals of HTTP requests, bound once."""

    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._span = obs.span(cp.HTTP_REQUEST_SPAN)
        self._response = obs.span(cp.HTTP_RESPONSE_SPAN)
        self._total = obs.metrics[cp.HTTP_REQUESTS]
        self._errors = obs.metrics[cp.HTTP_REQUEST_ERRORS]
        self._duration = obs.metrics[cp.HTTP_REQUEST_DURATION]

    def around(self, app: AsgiApp) -> AsgiApp:
        """``app`` with every request instrumented.

        The caller's request id is taken over when it is usable, else one is minted; it is in ``scope["request_id"]``
        and in the answer's ``X-Request-Id``. The route template is read from ``scope["route"]``, which Starlette sets.
        What the application raises becomes a 500 as problem details; an error that it has answered itself it may
        leave in ``scope["error"]``.
        """

        async def instrumented(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._serve(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return instrumented

    async def _serve(self, app: AsgiApp, scope: Scope, receive: Receive, send: Send) -> None:
        headers = trace_headers_of(scope)
        scope["request_id"] = request_id_in(headers) or self._obs.mint("req")
        span = self._span.under(self._obs.traces.extract(headers))(method=scope["method"])
        with self._obs.request(scope["request_id"]), span:
            exchange = Exchange(scope, send, lambda status: self._response(status_code=status), self._obs.clock)
            try:
                await app(scope, receive, exchange.send)
            except Exception as error:
                await exchange.failed(error)
            finally:
                exchange.close()
                span.set(path_template=exchange.template, status_code=exchange.status)
                if exchange.status >= 500:
                    span.fail(exchange.error)
                self._account(exchange)

    def _account(self, exchange: Exchange) -> None:
        method = _METHODS.get(exchange.method, "OTHER")
        template, status, seconds = exchange.template, exchange.status, exchange.seconds
        hundred: Any = f"{status // 100}xx"
        self._total.labels(method=method, path_template=template, status_class=hundred).inc()
        self._duration.labels(method=method, path_template=template).observe(seconds)
        if status >= 400:
            self._errors.labels(method=method, path_template=template, error_class=class_of(status)).inc()
        if status >= 500:
            self._obs.log.failure(
                cp.HTTP_FAILED, exchange.error, method=exchange.method, path_template=template, status_code=status
            )
        self._obs.log.event(
            cp.HTTP_ACCESS, method=exchange.method, path_template=template, status_code=status, duration_seconds=seconds
        )
