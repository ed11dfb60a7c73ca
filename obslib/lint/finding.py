"""What the linter has to say about one place: where it is, which rule, one sentence, and the repair where it is certain."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Edit", "Finding", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A stretch of a text: lines and columns count from 1, in characters; the end column is the first one after it."""

    line: int
    column: int
    end_line: int
    end_column: int

    @staticmethod
    def at(line: int = 1, column: int = 1) -> Place:
        """The one character at this position."""
        return Place(line=line, column=column, end_line=line, end_column=column + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace what stands at ``place`` by ``text``; an empty place inserts."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One defect: ``code`` names the rule (``OBS101``), ``message`` is one sentence that gives the way out.

    ``edits`` is empty unless the repair is certain; applied together they mend it, and mending twice changes nothing.
    """

    path: str
    place: Place
    code: str
    message: str
    edits: tuple[Edit, ...] = ()
