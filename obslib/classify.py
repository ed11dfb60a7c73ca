"""From an exception to its error class and back to whether a retry makes sense.

Logs, traces and loops must give the same failure the same class, so the mapping lives below them. A
component registers its own exceptions with ``start(errors={LaunchError: ErrorClass.DEPENDENCY})``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from obslib.errors import ErrorClass, SettingsError

__all__ = ["Classifier"]

_BUILT_IN: Mapping[type[BaseException], ErrorClass] = {
    TimeoutError: ErrorClass.TIMEOUT,
    asyncio.CancelledError: ErrorClass.UNAVAILABLE,
    PermissionError: ErrorClass.FORBIDDEN,
    FileNotFoundError: ErrorClass.NOT_FOUND,
    FileExistsError: ErrorClass.CONFLICT,
    ConnectionError: ErrorClass.UNAVAILABLE,
    OSError: ErrorClass.DEPENDENCY,
    ValueError: ErrorClass.INVALID_ARGUMENT,
}


class Classifier:
    """Finds the class of an exception: its own ``error_class`` attribute, else the nearest registered type."""

    def __init__(self, errors: Mapping[type[BaseException], ErrorClass] | None = None) -> None:
        for kind, error_class in (errors or {}).items():
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise SettingsError(f"errors has the key {kind!r}; it maps exception types, such as TimeoutError")
            if not isinstance(error_class, ErrorClass):
                raise SettingsError(
                    f"errors gives {kind.__name__} the class {error_class!r}; use obslib.ErrorClass.DEPENDENCY or another"
                )
        self._classes: dict[type[BaseException], ErrorClass] = {**_BUILT_IN, **(errors or {})}

    def error_class(self, error: BaseException | None) -> ErrorClass:
        """The class of ``error``; ``internal`` when there is none or nothing is known about its type."""
        if error is None:
            return ErrorClass.INTERNAL
        own = getattr(error, "error_class", None)
        if isinstance(own, ErrorClass):
            return own
        for kind in type(error).__mro__:
            found = self._classes.get(kind)
            if found is not None:
                return found
        return ErrorClass.INTERNAL

    def is_retryable(self, error: BaseException | None) -> bool:
        """Whether the same call may succeed later: the error's own ``retryable``, else what its class says."""
        own = getattr(error, "retryable", None)
        return own if isinstance(own, bool) else self.error_class(error).is_retryable
