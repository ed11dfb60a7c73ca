"""Texts that are checked: where each came from, and what a position in it is called."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from obslib.lint.finding import Place

__all__ = ["Malformed", "Document"]


class Malformed(Exception):
    """A text is not of the format it should be; ``place`` says where that shows, the message is one sentence."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.place = place


class Document:
    """One text under the name it is shown with: a path, a URL without its credentials, ``-``.

    ``content_type`` is what a server says it is; empty for a file.
    """

    def __init__(self, name: str, text: str, content_type: str = "") -> None:
        self.name = name
        self.content_type = content_type
        self.text = text.removeprefix("\ufeff")

    @cached_property
    def lines(self) -> list[str]:
        """The lines, as every format here has them: ended by a line feed and by nothing else."""
        return self.text.split("\n")

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for line in self.lines:
            starts.append(at)
            at += len(line) + 1
        return starts

    def place(self, start: int, end: int) -> Place:
        """The stretch between two offsets, in lines and columns."""
        line, column = self._position(start)
        end_line, end_column = self._position(max(end, start + 1))
        return Place(line=line, column=column, end_line=end_line, end_column=end_column)

    def line(self, number: int) -> Place:
        """One whole line, by its number from 1."""
        return Place(line=number, column=1, end_line=number, end_column=len(self.lines[number - 1]) + 1)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
