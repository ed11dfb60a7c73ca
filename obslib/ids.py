"""Ids: how ours are minted and how anybody's are checked.

An id is ``<prefix>_<ULID>``: 26 characters of Crockford base 32, sortable by time (platform facts §3).
Trace and span ids are W3C Trace Context numbers, never zero.
"""

from __future__ import annotations

import os
import random
import re
from typing import Protocol

from obslib.clock import Clock

__all__ = ["IdSource", "SystemIds", "is_id", "mint", "ulid"]

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")


class IdSource(Protocol):
    """Where fresh ids come from."""

    def ulid(self) -> str:
        """26 characters, unique, sorting by the time they were minted."""
        ...

    def trace_id(self) -> int:
        """A fresh non-zero 128-bit number."""
        ...

    def span_id(self) -> int:
        """A fresh non-zero 64-bit number."""
        ...


class SystemIds:
    """Random ids; reseeded after fork, so that two workers never share a sequence."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._random = random.Random(os.urandom(16))
        os.register_at_fork(after_in_child=self._reseed)

    def ulid(self) -> str:
        """A ULID of the clock's present millisecond."""
        return ulid(int(self._clock.now() * 1000), int.from_bytes(os.urandom(10), "big"))

    def trace_id(self) -> int:
        """A fresh non-zero 128-bit number."""
        return self._random.getrandbits(128) or 1

    def span_id(self) -> int:
        """A fresh non-zero 64-bit number."""
        return self._random.getrandbits(64) or 1

    def _reseed(self) -> None:
        self._random.seed(os.urandom(16))


def ulid(milliseconds: int, entropy: int) -> str:
    """Encode a Unix time in milliseconds (48 bits) and 80 bits of entropy."""
    number = (milliseconds & (2**48 - 1)) << 80 | (entropy & (2**80 - 1))
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def mint(prefix: str, ids: IdSource) -> str:
    """A fresh id with ``prefix``, such as ``inst_01J…``."""
    return f"{prefix}_{ids.ulid()}"


def is_id(value: object, prefix: str) -> bool:
    """Whether ``value`` is text of the form ``<prefix>_<ULID>``."""
    return isinstance(value, str) and value.startswith(f"{prefix}_") and _ULID.match(value, len(prefix) + 1) is not None
