"""The wrapper for a value that must never be shown.

It stands apart from the redactor because components use it in their own settings and records, long before
anything is logged. Redaction finds what slipped through; a ``Secret`` cannot slip (LOG-10).
"""

from __future__ import annotations

import hmac
from typing import Generic, NoReturn, TypeVar

__all__ = ["TYPED_MARKER", "Secret"]

TYPED_MARKER = "[redacted:typed]"
T = TypeVar("T", str, bytes)


class Secret(Generic[T]):
    """Text or bytes that only ``reveal()`` shows.

    ``str``, ``repr`` and ``format`` give ``[redacted:typed]``, copies are the same object, pickling and JSON
    raise TypeError, and comparison takes the same time wherever the values differ. A Secret is not registered
    anywhere: call ``Redactor.register(secret.reveal())`` for one that other code will handle in the clear.
    """

    __slots__ = ("_value",)
    _value: T

    def __init__(self, value: T) -> None:
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"Secret holds str or bytes, not {type(value).__name__}; encode it first")
        object.__setattr__(self, "_value", value)

    def reveal(self) -> T:
        """The value itself; the one place to grep for."""
        return self._value

    def __repr__(self) -> str:
        return TYPED_MARKER

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return TYPED_MARKER

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self._value, other.reveal()
        return type(mine) is type(theirs) and hmac.compare_digest(_octets(mine), _octets(theirs))

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> Secret[T]:
        return self

    def __deepcopy__(self, memo: object) -> Secret[T]:
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed; make a new one")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; pass a reference to where it is kept")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled; pass a reference to where it is kept")


def _octets(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
