"""A Python source as it is kept: read without trust in what it is, and written back with nothing changed but what was mended.

Python sees every end of line as a newline and no byte order mark, and so do the rules; the bytes keep both, whatever
encoding the file declares (PEP 263).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from obslib.lint.finding import Edit, Place
from obslib.lint.own import Own

__all__ = ["LARGEST_BYTES", "Source", "Unfit"]

LARGEST_BYTES = 2 * 1024 * 1024
"""Nobody wrote more than this by hand; the syntax tree of a larger file takes gigabytes."""

_END = re.compile(r"\r\n|\r|\n")


class Unfit(Exception):
    """A file that cannot be looked at; ``message`` is one sentence about it."""

    def __init__(self, code: Own, message: str, *, line: int = 1) -> None:
        super().__init__(message)
        self.code, self.message, self.place = code, message, Place.at(line)


@dataclass(frozen=True, kw_only=True)
class Source:
    """``text`` is what Python sees; ``raw`` is what the file holds, ``written`` the same as characters."""

    path: Path
    raw: bytes
    encoding: str
    written: str

    @staticmethod
    def read(path: Path) -> Source:
        """The source at ``path``; raises Unfit for what is no file, cannot be read, is too large or no text."""
        if path.suffix == ".ipynb":
            raise Unfit(Own.NOT_PYTHON, "a notebook is no Python source; export it as a script and lint that")
        return Source.of(path, _bytes_of(path))

    @staticmethod
    def of(path: Path, raw: bytes) -> Source:
        """These bytes as the source at ``path``; raises Unfit when they are too many or no text."""
        if len(raw) > LARGEST_BYTES:
            raise Unfit(
                Own.NOT_PYTHON,
                f"the file is larger than {LARGEST_BYTES // 1024 // 1024} MiB; exclude it if it is generated, else split it",
            )
        encoding = _encoding(raw)
        try:
            written = raw.decode(encoding)
        except UnicodeDecodeError as error:
            name = "UTF-8, and declares nothing else" if encoding.startswith("utf-8") else encoding
            line = len(_END.findall(raw[: error.start].decode("latin-1"))) + 1
            message = f"the file is not {name}: byte {raw[error.start]:#04x} in line {line}; save it as UTF-8"
            raise Unfit(Own.UNREADABLE, message, line=line) from None
        except (LookupError, ValueError):
            raise Unfit(Own.UNREADABLE, f"the file declares the encoding {encoding!r}; save it as UTF-8") from None
        return Source(path=path, raw=raw, encoding=encoding, written=written)

    @cached_property
    def text(self) -> str:
        """What Python sees: every end of line is a newline."""
        return self.written if "\r" not in self.written else _END.sub("\n", self.written)

    @cached_property
    def digest(self) -> str:
        """Tells this content from any other."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def end_of_line(self) -> str:
        """How its first line ends."""
        found = _END.search(self.written)
        return found[0] if found else "\n"

    def edited(self, edits: Sequence[Edit]) -> Source:
        """The same file with ``edits``, which do not overlap, carried out; its other lines keep their ends.

        Raises ValueError when a place is not in it, or when its encoding cannot write the result.
        """
        starts = [0, *(end.end() for end in _END.finditer(self.written)), len(self.written)]
        written = self.written
        for edit in sorted(edits, key=lambda edit: edit.place, reverse=True):
            begin = _offset(starts, edit.place.line, edit.place.column)
            end = _offset(starts, edit.place.end_line, edit.place.end_column)
            written = written[:begin] + edit.text.replace("\n", self.end_of_line) + written[end:]
        if self.written.encode(self.encoding) != self.raw:
            raise ValueError(f"{self.encoding} does not give the same bytes again")
        return Source(path=self.path, raw=written.encode(self.encoding), encoding=self.encoding, written=written)


def _offset(starts: Sequence[int], line: int, column: int) -> int:
    if not 1 <= line < len(starts) or not 0 <= column - 1 <= starts[line] - starts[line - 1]:
        raise ValueError(f"there is no line {line} with a column {column}")
    return starts[line - 1] + column - 1


def _bytes_of(path: Path) -> bytes:
    """Its bytes, and not many more than may be; a pipe or a device is not waited for."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            return file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        what = "a symbolic link to nothing" if path.is_symlink() else "gone since it was found"
        raise Unfit(Own.UNREADABLE, f"the file is {what}; run again, or exclude it") from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise Unfit(Own.UNREADABLE, f"the file cannot be read ({why}); make it readable, or exclude it") from None


def _without_waiting(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unfit(Own.UNREADABLE, "it is a pipe, a device or a folder and no regular file; name another")
    return descriptor


def _encoding(raw: bytes) -> str:
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in raw else raw
    try:
        return tokenize.detect_encoding(io.BytesIO(lines).readline)[0]
    except SyntaxError as error:
        if "invalid or missing encoding" in str(error.msg):
            return "utf-8"  # the first lines are none; decoding says where
        raise Unfit(Own.UNREADABLE, f"the file cannot be decoded ({error.msg}); save it as UTF-8") from None
