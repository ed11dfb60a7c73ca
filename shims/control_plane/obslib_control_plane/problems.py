"""What an API answers when it cannot do as asked: problem details (RFC 9457) with the platform's codes.

It is a file of its own because the middleware must be able to answer when the host no longer can, in the
host's own words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from obslib.errors import ErrorClass

__all__ = ["MEDIA_TYPE", "Problem", "class_of", "problem_of", "status_of"]

MEDIA_TYPE = "application/problem+json"

_STATUS: Mapping[ErrorClass, int] = {
    ErrorClass.INVALID_ARGUMENT: 400,
    ErrorClass.UNAUTHORIZED: 401,
    ErrorClass.FORBIDDEN: 403,
    ErrorClass.NOT_FOUND: 404,
    ErrorClass.CONFLICT: 409,
    ErrorClass.QUOTA_EXCEEDED: 409,
    ErrorClass.PRECONDITION_FAILED: 412,
    ErrorClass.RATE_LIMITED: 429,
    ErrorClass.INTERNAL: 500,
    ErrorClass.UNAVAILABLE: 503,
    ErrorClass.DEPENDENCY: 503,
    ErrorClass.TIMEOUT: 504,
}
_CLASS: Mapping[int, ErrorClass] = {status: error_class for error_class, status in reversed(list(_STATUS.items()))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One refusal. ``detail`` is read by whoever asked and must be free of secrets; ``code`` is for programs."""

    status: int
    detail: str
    code: str
    is_retryable: bool = False
    retry_after_s: int | None = None
    details: Sequence[Mapping[str, str]] = field(default_factory=tuple)

    def body(self, *, path: str, request_id: str) -> bytes:
        """The JSON of the answer."""
        members: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "request_id": request_id,
            "retryable": self.is_retryable,
        }
        if self.retry_after_s is not None:
            members["retry_after_seconds"] = self.retry_after_s
        if self.details:
            members["details"] = list(self.details)
        return json.dumps(members).encode()


def status_of(error_class: ErrorClass) -> int:
    """The HTTP status of a class of error (platform facts §21)."""
    return _STATUS[error_class]


def class_of(status: int) -> ErrorClass:
    """The class of an error status; one without a class of its own counts by its hundred."""
    return _CLASS.get(status, ErrorClass.INTERNAL if status >= 500 else ErrorClass.INVALID_ARGUMENT)


def problem_of(error_class: ErrorClass, detail: str, *, details: Sequence[Mapping[str, str]] = ()) -> Problem:
    """The problem that an error of this class is."""
    code = ErrorClass.UNAVAILABLE if error_class is ErrorClass.DEPENDENCY else error_class
    is_away = status_of(error_class) == 503
    return Problem(
        status=status_of(error_class),
        detail=detail,
        code=code.value,
        is_retryable=error_class.is_retryable,
        retry_after_s=1 if is_away else None,
        details=details,
    )
