"""What a rule is: one promise about telemetry code, its manual page and its examples.

A rule looks at one kind of *use* (``obslib.lint.uses``): a label set, a log call, a declaration. What the code means was
worked out before, once for all rules, so that a rule is a few lines long. Its docstring is its manual page; its examples
are its tests.
"""

from __future__ import annotations

import ast
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, ClassVar, Generic, TypeVar

from obslib.lint.uses import File, Use

__all__ = ["Page", "Problem", "Repair", "Rule"]

U = TypeVar("U", bound=Use)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Replace the source of ``node`` by ``text``; given only where the result is certain to mean what was meant."""

    node: ast.expr | ast.keyword
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found: the node the caret goes under, one sentence, and the repair where it is certain."""

    node: ast.AST
    message: str
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A rule's docstring, taken apart: what it reports, why that hurts, how it is mended."""

    summary: str
    why: str
    fix: str

    @staticmethod
    def of(docstring: str | None) -> Page:
        """Take a rule's docstring apart."""
        summary, _, rest = inspect.cleandoc(docstring or "").partition("\n")
        why, _, fix = rest.partition("Fix:")
        return Page(summary=_prose(summary), why=_prose(why.partition("Why:")[2]), fix=_prose(fix))


class Rule(ABC, Generic[U]):
    """Report every use of one kind that breaks a promise.

    The docstring of a rule has three parts: a first line that says what it reports, a paragraph that begins with ``Why:``
    and one that begins with ``Fix:``. ``good`` and ``bad`` are whole sources of modules, indented as they stand in the
    rule; each bad one is reported by this rule at least once, each good one never.
    """

    code: ClassVar[str]
    """``OBS1xx`` metrics, ``2xx`` logs, ``3xx`` spans, ``4xx`` health, ``5xx`` components, ``6xx`` scrapes, rules and
    dashboards, ``9xx`` the linter's own."""

    name: ClassVar[str]
    """The same in words, ``undeclared-metric``; a suppression may use either."""

    on: ClassVar[type[Use] | tuple[type[Use], ...]]
    good: ClassVar[tuple[str, ...]]
    bad: ClassVar[tuple[str, ...]]
    example_path: ClassVar[str] = "example.py"
    """Where its examples stand, for a rule that looks at certain places only."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.good, cls.bad = (tuple(dedent(each).lstrip("\n") for each in getattr(cls, name, ())) for name in ("good", "bad"))

    @abstractmethod
    def check(self, use: U, file: File) -> Iterator[Problem]:
        """The problems of one use."""

    @classmethod
    def page(cls) -> Page:
        """The manual page, from the docstring."""
        return Page.of(cls.__doc__)


def _prose(text: str) -> str:
    """Paragraphs without line ends; code stands in single backticks, as people read it in a terminal."""
    text = text.replace("``", "`")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip())
