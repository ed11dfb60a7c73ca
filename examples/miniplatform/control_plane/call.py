"""One request as a handler sees it: who asks, what was named, what was sent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from miniplatform.control_plane.auth import authenticate
from miniplatform.control_plane.platform import Platform
from miniplatform.control_plane.problems import InvalidArgument, Refused, problem_response, refuse_encoded_slash, told
from miniplatform.store.tokens import Bearer
from obslib.access import Actor, Refusal, RequestInfo
from obslib.ids import is_id
from obslib_control_plane import Problem

__all__ = ["Call", "Handler", "Page", "endpoint", "reply"]

M = TypeVar("M", bound=BaseModel)

_LARGEST_BODY = 1_048_576
_PAGE, _LARGEST_PAGE = 50, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is asked for: at most ``limit`` items after the one named by ``cursor``."""

    limit: int
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An authenticated request. ``held`` is what it keeps until it has been answered, such as readings on record."""

    platform: Platform
    request: Request
    bearer: Bearer
    actor: Actor
    held: AsyncExitStack
    _sent: list[bytes] = field(default_factory=list)

    @property
    def request_id(self) -> str:
        """The id under which all of this can be found again."""
        return str(self.request.scope["request_id"])

    @property
    def action(self) -> str:
        """What the audit trail calls a request that has no name of its own: method and route template."""
        return f"{self.request.method} {self.request.scope['route'].path}"

    @property
    def origin(self) -> RequestInfo:
        """Where it comes from, for the audit trail."""
        client = self.request.client
        return RequestInfo(
            request_id=self.request_id,
            source_ip=client.host if client else "",
            user_agent=self.request.headers.get("user-agent", ""),
            trace_id=self.platform.obs.traces.current_ids()[0],
        )

    @property
    def token(self) -> str:
        """What the request was let in with."""
        return self.request.headers["authorization"].partition(" ")[2]

    def named(self, what: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[what])

    def asked(self, parameter: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query_params.get(parameter, default)

    def takes_only(self, known: Collection[str]) -> None:
        """Refuse a query parameter that is not among ``known``."""
        for parameter in self.request.query_params:
            if parameter not in known:
                raise InvalidArgument(f"unknown parameter {parameter[:40]!r}; it takes {', '.join(sorted(known))}")

    def number(self, parameter: str, default: int, *, low: int = 0, high: int = 2**63 - 1) -> int:
        """A query parameter that is a whole number from ``low`` to ``high``."""
        text = self.asked(parameter, str(default))
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise InvalidArgument(f"{parameter} is {text[:40]!r}; it must be a whole number from {low} to {high}")
        return int(text)

    def moment(self, parameter: str) -> datetime | None:
        """A query parameter that is a time; None when it is not there, UTC when it names no zone."""
        text = self.asked(parameter)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidArgument(f"{parameter} is {text[:40]!r}; it must be a time such as 2026-01-31T09:30:00Z") from None
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def window(self) -> tuple[datetime | None, datetime | None]:
        """The query parameters ``since`` and ``until``, the first not after the second."""
        since, until = self.moment("since"), self.moment("until")
        if since is not None and until is not None and since > until:
            raise InvalidArgument(f"since ({self.asked('since')[:40]}) is after until ({self.asked('until')[:40]}); swap them")
        return since, until

    def identified(self, parameter: str, *prefixes: str) -> str:
        """A query parameter that is an id of one of these kinds; empty when it is not there."""
        text = self.asked(parameter)
        if text and not any(is_id(text, prefix) for prefix in prefixes):
            wanted = " or ".join(f"{prefix}_" for prefix in prefixes)
            raise InvalidArgument(f"{parameter} is {text[:80]!r}, a malformed id: it must be {wanted} and 26 characters")
        return text

    def page(self) -> Page:
        """The paging parameters every list takes."""
        return Page(limit=self.number("limit", _PAGE, low=1, high=_LARGEST_PAGE), cursor=self.asked("cursor"))

    async def raw(self, *, most: int = _LARGEST_BODY) -> bytes:
        """The body, read once; over ``most`` bytes is refused before it is read to the end."""
        if not self._sent:
            body = bytearray()
            async for chunk in self.request.stream():
                body += chunk
                if len(body) > most:
                    detail = f"the body is larger than {most // 1_048_576} MiB"
                    raise Refused(Problem(status=413, detail=detail, code="invalid_argument"))
            self._sent.append(bytes(body))
        return self._sent[0]

    async def body(self, model: type[M]) -> M:
        """The body as a model; what is not JSON, or not the model's, is refused."""
        return model.model_validate(await self.json())

    async def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        try:
            raw = await self.raw()
            found = json.loads(raw)
        except (ValueError, RecursionError):
            raise InvalidArgument("the body is not valid JSON") from None
        if not isinstance(found, dict):
            raise InvalidArgument("the body must be a JSON object")
        if b"\\u0000" in raw:
            _refuse_nul(found)
        return found


def _refuse_nul(body: dict[str, Any]) -> None:
    """Raise InvalidArgument for the first string with a NUL, which neither the database nor a process can hold."""
    left: list[tuple[str, object]] = [("", body)]
    while left:
        where, value = left.pop()
        if isinstance(value, str) and "\0" in value:
            raise InvalidArgument(f"{where[:200]} holds a NUL character (\\u0000); leave it out")
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, item in items:
            path = f"{where}.{name}".lstrip(".")
            if isinstance(name, str) and "\0" in name:
                raise InvalidArgument(f"a name in {where[:200] or 'the body'} holds a NUL character (\\u0000); leave it out")
            left.append((path, item))


Handler = Callable[[Call], Awaitable[Response]]


def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """``handler`` for Starlette: behind authentication, every refusal on record, every error told as problem details."""

    async def handle(request: Request) -> Response:
        platform: Platform = request.app.state.platform
        try:
            refuse_encoded_slash(request)
            bearer, actor = await authenticate(platform.database, request)
            async with AsyncExitStack() as held:
                return await _answered(handler, Call(platform=platform, request=request, bearer=bearer, actor=actor, held=held))
        except Exception as error:
            request.scope["error"] = error
            return problem_response(request, told(error))

    return handle


async def _answered(handler: Handler, call: Call) -> Response:
    try:
        return await handler(call)
    except Refusal as refusal:
        await call.platform.telemetry.auditor.refused(refusal.decision, action=call.action, request=call.origin)
        raise


def reply(content: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer."""
    body = orjson.dumps(content, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)
    return Response(body, status, media_type="application/json")
