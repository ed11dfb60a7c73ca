"""How a command fails: a category, its exit code, one sentence, one thing to try (platform facts §20)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["Category", "CliFailure", "category_of_status"]


class Category(StrEnum):
    """The categories of failure; each has its exit code."""

    FAILURE = "failure"
    INVALID_USAGE = "invalid_usage"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TRANSIENT = "transient"
    INTERNAL = "internal"

    @property
    def exit_code(self) -> int:
        """1 to 7; 0 is success."""
        return list(Category).index(self) + 1


class CliFailure(Exception):
    """The command cannot do what it was asked; ``resource`` is the (type, id, name) it concerns."""

    def __init__(
        self,
        category: Category,
        message: str,
        *,
        hint: str = "",
        is_retryable: bool | None = None,
        request_id: str = "",
        resource: tuple[str, str, str] = ("", "", ""),
        fields: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.category = category
        self.message = message
        self.hint = hint
        self.is_retryable = category is Category.TRANSIENT if is_retryable is None else is_retryable
        self.request_id = request_id
        self.resource = resource
        self.fields = dict(fields or {})

    def as_dict(self, *, command: str, trace_id: str) -> dict[str, object]:
        """The error object that ``--json`` prints."""
        kind, identity, name = self.resource
        fields = {**self.fields, **({"request_id": self.request_id} if self.request_id else {})}
        return {
            "error": {
                "category": str(self.category),
                "message": self.message,
                "hint": self.hint,
                "retryable": self.is_retryable,
                "trace_id": trace_id,
                "details": {
                    "command": command,
                    "resource": {"type": kind, "id": identity, "name": name},
                    "fields": fields,
                },
            }
        }


_BY_STATUS = {
    400: Category.INVALID_USAGE,
    401: Category.AUTH,
    403: Category.AUTH,
    404: Category.NOT_FOUND,
    408: Category.TRANSIENT,
    409: Category.CONFLICT,
    412: Category.CONFLICT,
    413: Category.INVALID_USAGE,
    422: Category.INVALID_USAGE,
    429: Category.TRANSIENT,
    502: Category.TRANSIENT,
    503: Category.TRANSIENT,
    504: Category.TRANSIENT,
}


def category_of_status(status: int) -> Category:
    """The category of an HTTP error status."""
    return _BY_STATUS.get(status, Category.INTERNAL if status >= 500 else Category.FAILURE)
