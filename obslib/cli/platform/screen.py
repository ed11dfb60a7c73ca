r"""What is written where: the answer to standard output, everything else to standard error, nothing harmful to either.

Text from the server is shown, never obeyed: control characters, escapes and direction overrides appear as
``\x1b``. Lines wrap at spaces to the width at hand; a word, such as an id, is never cut.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

__all__ = ["Screen", "plain"]

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_TAB = "\t"
_NARROWEST = 20
_USUAL = 100
"""Columns where nobody says how many there are; ``COLUMNS=0`` says nothing either."""
_TALL = 24


def plain(value: object, *, keep: str = "") -> str:
    """``value`` as one line of text that moves no cursor: every invisible or control character is spelled out but ``keep``."""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _spelled(character) if unicodedata.category(character) in _HIDDEN and character not in keep else character
        for character in text
    )


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class Screen:
    """Standard output and standard error of one command. ``secrets`` are blotted out of everything written."""

    def __init__(
        self, *, is_json: bool, secrets: tuple[str, ...] = (), out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.is_json = is_json
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 4)
        self._out, self._err = out or sys.stdout, err or sys.stderr
        self._width = max(_NARROWEST, shutil.get_terminal_size((_USUAL, _TALL)).columns)
        self._console = _console(self._out, self._width)
        self._errors = _console(self._err, self._width)

    def line(self, text: object = "", *, indent: int = 0, style: str = "") -> None:
        """A line of a human answer; wrapped, with continuations two further in. ``style`` shows on a terminal only."""
        self._write(self._console, plain(text), indent, style)

    def verbatim(self, lead: str, text: str) -> None:
        """Somebody else's line as they wrote it after a ``lead`` of ours: not wrapped, tabs kept, nothing obeyed."""
        self._raw(f"{plain(lead)} {plain(text, keep=_TAB)}")

    def pairs(self, values: Mapping[str, object], *, indent: int = 0) -> None:
        """``name: value`` lines; what is empty or unknown to us is left out."""
        for name, value in values.items():
            if value not in (None, "", [], {}):
                self.line(f"{name}: {value}", indent=indent)

    def note(self, text: object, *, style: str = "dim") -> None:
        """A line of progress or explanation, on standard error."""
        self._write(self._errors, plain(text), 0, style)

    def document(self, value: Any) -> None:
        """The answer as one JSON document; ASCII only, so that it is harmless on a terminal too."""
        self._raw(json.dumps(value, indent=2, allow_nan=False))

    def record(self, value: Any) -> None:
        """One line of NDJSON, flushed at once."""
        self._raw(json.dumps(value, separators=(",", ":"), allow_nan=False))

    def _raw(self, text: str) -> None:
        self._out.write(self._blot(text) + "\n")
        self._out.flush()

    def _write(self, console: Console, text: str, indent: int, style: str) -> None:
        lead = " " * indent
        wrapped = textwrap.wrap(
            self._blot(text),
            width=self._width,
            initial_indent=lead,
            subsequent_indent=lead + "  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for piece in wrapped or [""]:
            console.print(Text(piece, style=style), soft_wrap=True)
        console.file.flush()

    def _blot(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[redacted:typed]")
        return text


class _Printer(Console):
    def on_broken_pipe(self) -> None:
        """Leave the closed pipe to the entry point; rich would exit with 1 here."""
        raise BrokenPipeError


def _console(file: TextIO, width: int) -> Console:
    is_terminal = file.isatty()
    return _Printer(
        file=file,
        width=width,
        height=_TALL,
        force_terminal=is_terminal,
        color_system="auto" if is_terminal else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
