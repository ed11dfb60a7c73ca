"""Errors as the API tells them: every one of them problem details, none with a secret or a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from miniplatform.store.events import Conflict
from obslib.errors import (
    AccessDenied,
    AuditUnavailable,
    EmergencyRefused,
    ErrorClass,
    EventLogKept,
    LimitExceeded,
    SelectionError,
    StoreUnavailable,
)
from obslib_control_plane import Problem, problem_of
from obslib_control_plane.problems import MEDIA_TYPE, class_of

__all__ = [
    "InvalidArgument", "Refused", "Unauthorized", "problem_response", "refuse_encoded_slash", "refuse_unrouted", "told",
]  # fmt: skip


class Refused(Exception):
    """The request is refused for a reason its sender may know."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.error_class = class_of(problem.status)


class InvalidArgument(Refused):
    """Something in the request is not what the API takes (400)."""

    def __init__(self, detail: str, *, details: Sequence[dict[str, str]] = ()) -> None:
        super().__init__(problem_of(ErrorClass.INVALID_ARGUMENT, detail, details=details))


class Unauthorized(Refused):
    """Nobody knows who asks (401)."""

    def __init__(self) -> None:
        detail = "send a valid token as 'Authorization: Bearer …'; this request had none that is known"
        super().__init__(problem_of(ErrorClass.UNAUTHORIZED, detail))


def told(error: Exception) -> Problem:
    """The problem an exception becomes; one nobody foresaw is a 500 that says nothing about the inside."""
    match error:
        case Refused():
            return error.problem
        case AccessDenied() | AuditUnavailable() | EmergencyRefused() | EventLogKept() | SelectionError() | StoreUnavailable():
            return problem_of(error.error_class, str(error))
        case LimitExceeded():
            return replace(problem_of(error.error_class, str(error)), retry_after_s=error.retry_after_s)
        case Conflict():
            return problem_of(ErrorClass.CONFLICT, str(error))
        case ValidationError():
            fields = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors(include_url=False)]
            return problem_of(ErrorClass.INVALID_ARGUMENT, "the request body is not valid; see details", details=fields)
        case ClientDisconnect():
            return problem_of(ErrorClass.INVALID_ARGUMENT, "the connection ended before the whole body had arrived")
        case psycopg.DataError() | UnicodeError():
            return problem_of(ErrorClass.INVALID_ARGUMENT, "a value in the request is one that cannot be stored")
        case psycopg.OperationalError():
            return problem_of(ErrorClass.UNAVAILABLE, "the database does not answer at the moment; try again shortly")
        case _:
            return problem_of(ErrorClass.INTERNAL, "the server failed; the request id finds the reason in its log")


def problem_response(request: Request, problem: Problem) -> Response:
    """The answer that tells ``problem``."""
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    body = problem.body(path=request.url.path, request_id=request.scope.get("request_id", ""))
    return Response(body, problem.status, headers=headers, media_type=MEDIA_TYPE)


def refuse_encoded_slash(request: Request) -> None:
    """Raise InvalidArgument for ``%2F`` in the path: decoded, it would be read as another path than the one that was meant."""
    if b"%2f" in request.scope.get("raw_path", b"").lower():
        raise InvalidArgument("the path holds an encoded slash (%2F); no id and no name has a slash")


async def refuse_unrouted(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: no such route, or not with this method."""
    try:
        refuse_encoded_slash(request)
    except InvalidArgument as refused:
        return problem_response(request, refused.problem)
    status = error.status_code if isinstance(error, HTTPException) else 404
    detail = f"{request.url.path!r} does not take {request.method}" if status == 405 else "there is no such route"
    code = "invalid_argument" if status == 405 else "not_found"
    return problem_response(request, Problem(status=status, detail=detail, code=code))
