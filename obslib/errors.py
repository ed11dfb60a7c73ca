"""Every error obslib raises on purpose.

One root and a few leaves, each also the built-in a caller would expect, so that
``except ValueError`` in an existing component still works. They are raised while a
process is being wired; once it serves, obslib counts what it could not do instead.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "AccessDenied",
    "AddressInUse",
    "AlreadyAdopted",
    "AuditRequired",
    "AuditUnavailable",
    "CardinalityError",
    "CatalogError",
    "Closed",
    "EmergencyRefused",
    "ErrorClass",
    "EventLogKept",
    "LabelNotAllowed",
    "LedgerError",
    "LimitExceeded",
    "ObslibError",
    "SelectionError",
    "SettingsError",
    "SpecError",
    "StoreUnavailable",
    "UnknownSignal",
    "UsageError",
]


class ErrorClass(StrEnum):
    """What kind of failure it was: the closed set behind every ``error_class`` (requirements §3.1)."""

    INVALID_ARGUMENT = "invalid_argument"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    DEPENDENCY = "dependency"
    INTERNAL = "internal"

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later without anyone changing anything."""
        return self in _RETRYABLE


_RETRYABLE = frozenset(
    {
        ErrorClass.RATE_LIMITED,
        ErrorClass.TIMEOUT,
        ErrorClass.UNAVAILABLE,
        ErrorClass.DEPENDENCY,
        ErrorClass.CONFLICT,
    }
)


class ObslibError(Exception):
    """Root of everything obslib raises; the message says what to do."""


class CatalogError(ObslibError, ValueError):
    """A declaration is wrong, or two declarations contradict each other."""


class CardinalityError(CatalogError):
    """A family or a process could exceed its series budget (requirements §2)."""


class LabelNotAllowed(CatalogError):
    """A metric label is not in the catalog's table of bounds (CARD-01)."""


class UnknownSignal(ObslibError, LookupError):
    """A signal, component or loop is used that this catalog, or this component, does not declare."""


class SettingsError(ObslibError, ValueError):
    """A setting is missing or malformed; the message names it and where it is read from."""


class LedgerError(ObslibError, ValueError):
    """The requirement ledger cannot be understood; the message names the file and the line."""


class SpecError(ObslibError, ValueError):
    """A page of the specs cannot be rendered; the message names the page and what is wrong in it."""


class UsageError(ObslibError, ValueError):
    """A command was given what does not go together, or a place it cannot use."""


class AddressInUse(ObslibError, OSError):
    """The admin endpoint's address is taken by another process."""


class AlreadyAdopted(ObslibError, RuntimeError):
    """A second Observability tried to take over this process's globals."""


class Closed(ObslibError, RuntimeError):
    """Something is wired to an Observability that has been closed."""


class AccessDenied(ObslibError, PermissionError):
    """The actor may not see or change the resource; says which of 403 and 404 the caller must answer."""

    def __init__(self, message: str, *, error_class: ErrorClass) -> None:
        super().__init__(message)
        self.error_class = error_class


class AuditRequired(ObslibError, TypeError):
    """A grant that leaves a record was asked for where none is written; the caller's code must use an Auditor."""


class AuditUnavailable(ObslibError, ConnectionError):
    """The access could not be recorded, so nothing was read; the same call may succeed later (HTTP 503, exit code 6)."""

    error_class = ErrorClass.UNAVAILABLE


class EventLogKept(ObslibError, PermissionError):
    """The event log is not shortened; the message says which condition is not met."""

    error_class = ErrorClass.PRECONDITION_FAILED


class EmergencyRefused(ObslibError, ValueError):
    """An emergency access is declared without a reason or an expiry that can be accepted."""

    error_class = ErrorClass.INVALID_ARGUMENT


class LimitExceeded(ObslibError, ValueError):
    """A published limit would be passed; ``limit`` is its name, ``retry_after_s`` is set when waiting helps."""

    def __init__(self, message: str, *, limit: str, error_class: ErrorClass, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        self.error_class = error_class
        self.retry_after_s = retry_after_s


class SelectionError(ObslibError, ValueError):
    """What is asked of a store is no number of lines, no time or no place in it; the message says what it may be."""

    error_class = ErrorClass.INVALID_ARGUMENT


class StoreUnavailable(ObslibError, OSError):
    """A store cannot take or give records at the moment; nothing was acknowledged, so send or ask again."""

    error_class = ErrorClass.UNAVAILABLE
