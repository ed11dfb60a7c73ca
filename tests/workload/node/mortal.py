"""A process that dies at any statement it is about to run: what it had not committed is gone, as after SIGKILL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

__all__ = ["Killed", "Life", "mortal"]


class Killed(BaseException):
    """The process is no more."""


class Life:
    """``statements`` until the end, ``None`` for ever."""

    statements: int | None = None

    def spend(self) -> None:
        """One statement less; raises Killed at the end and ever after."""
        if self.statements is not None:
            if self.statements <= 0:
                raise Killed
            self.statements -= 1


@contextmanager
def mortal() -> Iterator[Life]:
    """Every SQLite connection made in the block lives by the life it yields."""
    life = Life()
    connect = sqlite3.connect

    class Mortal(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            life.spend()
            return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            life.spend()
            return super().executemany(*arguments)

    with mock.patch("sqlite3.connect", lambda *args, **options: connect(*args, factory=Mortal, **options)):
        yield life
