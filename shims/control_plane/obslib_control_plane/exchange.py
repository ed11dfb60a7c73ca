"""One request and the answer to it, as plain ASGI sees them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from typing import Any

from obslib.clock import Clock
from obslib.errors import ErrorClass
from obslib_control_plane.problems import MEDIA_TYPE, problem_of

__all__ = ["AsgiApp", "Exchange", "Message", "Receive", "Scope", "Send", "request_id_in", "trace_headers_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_WANTED = {b"traceparent": "traceparent", b"tracestate": "tracestate", b"x-request-id": "x-request-id"}
_USABLE_ID = re.compile(rb"[\x21-\x7e]{1,128}\Z")
_CLIENT_LEFT = 499


Responding = Callable[[int], AbstractContextManager[object]]
"""Makes the span around an answer, given its status."""


class Exchange:
    """As far as it has got."""

    def __init__(self, scope: Scope, send: Send, responding: Responding, clock: Clock) -> None:
        self._scope = scope
        self._send = send
        self._clock = clock
        self._responding = responding
        self._started = self._clock.monotonic()
        self._response: AbstractContextManager[object] | None = None
        self.method: str = scope["method"]
        self.status = 0

    @property
    def template(self) -> str:
        """The route's template, ``unmatched`` when there is no route."""
        return str(getattr(self._scope.get("route"), "path", "unmatched"))

    @property
    def seconds(self) -> float:
        """Time since the request was accepted."""
        return self._clock.monotonic() - self._started

    @property
    def error(self) -> BaseException | None:
        """What made the server fail: raised through the application, or noted by it in ``scope["error"]``."""
        return self._scope.get("error")

    async def send(self, message: Message) -> None:
        """Pass a message on, with the request id on the first and the response span around all."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._response = self._responding(self.status)
            self._response.__enter__()
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._scope["request_id"].encode())]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._end_response()

    async def failed(self, error: Exception) -> None:
        """Answer for an application that raised; an answer already begun can only be cut off, so ``error`` is raised."""
        self._scope["error"] = error
        if self.status:
            self.status = 500
            raise error
        problem = problem_of(ErrorClass.INTERNAL, "the server failed; the request id finds the reason in its log")
        body = problem.body(path=self._scope["path"], request_id=self._scope["request_id"])
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        """Settle what the application left open: no answer means that the client has left."""
        self._end_response()
        self.status = self.status or _CLIENT_LEFT

    def _end_response(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.__exit__(None, None, None)


def trace_headers_of(scope: Scope) -> dict[str, object]:
    """The headers that carry a trace or a request id; one that was sent twice is a list."""
    found: dict[str, object] = {}
    for raw, value in scope["headers"]:
        name = _WANTED.get(raw)
        if name is not None:
            before = found.get(name)
            found[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return found


def request_id_in(headers: Mapping[str, object]) -> str:
    """The caller's ``X-Request-Id`` when it is 1 to 128 printable characters, else empty: opaque, but bounded."""
    given = headers.get("x-request-id")
    return given.decode() if isinstance(given, bytes) and _USABLE_ID.match(given) else ""
