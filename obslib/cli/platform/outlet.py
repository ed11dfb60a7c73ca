"""The two streams a command writes to, and what becomes of it when one of them takes nothing.

The answer is what the command was asked for, so losing it is a failure; a note that nobody can read changes
nothing. Every writer of the process, the help of the command line included, goes through here.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from obslib.cli.platform.failure import Category, CliFailure

__all__ = ["abandon", "for_answers", "for_notes"]


def for_answers(stream: TextIO | None, *, outlives_reader: bool = False) -> TextIO:
    """Standard output (``None`` when it was closed at the start): what cannot be written raises CliFailure.

    A pipe whose reader is gone raises BrokenPipeError, as ever. With ``outlives_reader`` the rest is dropped instead, so
    that a command whose exit code is its verdict still comes to it.
    """
    return cast(TextIO, _Outlet(stream, is_answer=True, outlives_reader=outlives_reader))


def for_notes(stream: TextIO | None) -> TextIO:
    """Standard error (``None`` when it was closed at the start): what cannot be written is dropped."""
    return cast(TextIO, _Outlet(stream, is_answer=False))


def abandon(stream: TextIO | None) -> None:
    """Let the interpreter flush nothing more into a stream that takes nothing, which would change the exit code."""
    if stream is None or stream.closed:
        return
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class _Outlet:
    """As much of a text stream as the command and its libraries use."""

    def __init__(self, stream: TextIO | None, *, is_answer: bool, outlives_reader: bool = False) -> None:
        self._stream, self._is_answer, self._outlives_reader = stream, is_answer, outlives_reader
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.errors = "backslashreplace"
        self.closed = False
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=self.errors)

    def write(self, text: str) -> int:
        """Write it, or do what the kind of stream asks for."""
        with self._tried():
            self._open().write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, or do what the kind of stream asks for."""
        with self._tried():
            self._open().flush()

    def isatty(self) -> bool:
        """Whether somebody looks."""
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor below; raises OSError when there is none."""
        return self._open().fileno()

    def _open(self) -> TextIO:
        if self._stream is None or self._stream.closed:
            raise OSError(errno.EBADF, "it is closed")
        return self._stream

    @contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._is_answer:
                return
            if isinstance(error, BrokenPipeError):
                if self._outlives_reader:
                    return
                raise
            why = (error.strerror or type(error).__name__).lower()
            message = f"standard output cannot be written: {why}"
            raise CliFailure(Category.FAILURE, message, hint="send the answer where there is room for it") from None
