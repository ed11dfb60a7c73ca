"""What a rule about a scrape or a query is: one promise, its manual page and its examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.finding import Place
from obslib.lint.rule import Page

__all__ = ["ArtifactRule", "Form", "Fault", "QueryRule", "ScrapeRule"]

S = TypeVar("S")


class Form(StrEnum):
    """What a rule's examples are."""

    EXPOSITION = "exposition"
    QUERY = "query"
    RULE_FILE = "rule file"
    DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule found: where, and one sentence that gives the way out."""

    place: Place
    message: str


class ArtifactRule(ABC, Generic[S]):
    """Report whatever in a scrape, a rule file or a dashboard breaks a promise; the docstring is the manual page.

    ``good`` and ``bad`` are whole texts of the ``form``: each bad one is reported by this rule at least once, about each
    good one no rule says anything.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    form: ClassVar[Form]
    good: ClassVar[tuple[str, ...]]
    bad: ClassVar[tuple[str, ...]]

    @abstractmethod
    def check(self, subject: S, names: Names) -> Iterator[Fault]:
        """The faults of one exposition or one question."""

    @classmethod
    def page(cls) -> Page:
        """The manual page, from the docstring."""
        return Page.of(cls.__doc__)


class ScrapeRule(ArtifactRule[Exposition]):
    """A rule about what a process exposes."""

    form = Form.EXPOSITION


class QueryRule(ArtifactRule[Question]):
    """A rule about what an alert, a recording rule, a panel or a variable asks."""

    form = Form.QUERY
