"""One query of a document, with what was found about it: what every rule about queries looks at."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.lint.artifacts.carried import Carried, carried
from obslib.lint.artifacts.expression import Expression, QueryError, parse
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.terms import Span
from obslib.lint.artifacts.tree import Node
from obslib.lint.finding import Place

__all__ = ["STAND_IN", "Asked", "Question", "Reference", "Text"]

STAND_IN = "\ue000"
"""What stands in a matcher's value where only Grafana knows the text."""


@dataclass(frozen=True, slots=True)
class Text:
    """A query's text and where each of its characters is in the node it was written in; None when it is the node's own."""

    written: str
    origin: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> Span:
        """The stretch of the node that a stretch of this text came from."""
        if self.origin is None or not self.origin:
            return start, end
        last = self.origin[min(max(end - 1, start), len(self.origin) - 1)]
        return self.origin[min(start, len(self.origin) - 1)], last + 1


@dataclass(frozen=True, slots=True)
class Reference:
    """A label that a template, a legend or a variable takes from the result."""

    label: str
    place: Place


@dataclass(frozen=True, slots=True)
class Asked:
    """A label, metric or value that a document wants and that cannot be followed, with the sentence that says so."""

    message: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query, parsed or not: ``where`` names the rule, panel or variable that asks it.

    ``expression`` is None when ``failure`` says why, or when only ``references`` are asked for. ``unresolved`` are names
    that stand for something only Grafana knows. ``is_alert`` marks an alert's condition.
    """

    where: str
    node: Node
    text: Text
    expression: Expression | None = None
    failure: str = ""
    references: tuple[Reference, ...] = ()
    unresolved: tuple[Asked, ...] = ()
    is_alert: bool = False
    own_labels: frozenset[str] = frozenset()

    @staticmethod
    def of(
        where: str, node: Node, text: Text | None = None, *, references: tuple[Reference, ...] = (),
        unresolved: tuple[Asked, ...] = (), is_alert: bool = False, own_labels: frozenset[str] = frozenset(),
    ) -> Question:  # fmt: skip
        """The query that ``node`` holds, or that was made of it."""
        text = text or Text(node.text)
        expression, failure = None, ""
        try:
            expression = parse(text.written)
        except QueryError as error:
            failure = str(error)
        return Question(
            where=where, node=node, text=text, expression=expression, failure=failure, references=references,
            unresolved=unresolved, is_alert=is_alert, own_labels=own_labels,
        )  # fmt: skip

    def place(self, span: Span | None = None) -> Place:
        """Where a stretch of the query stands; all of it without one."""
        return self.node.place if span is None else self.node.place_of(*self.text.span(*span))

    def carried(self, names: Names) -> Carried:
        """The labels of the result."""
        if self.expression is None:
            return Carried.of(names.labels) if not self.failure else Carried.anything()
        return carried(self.expression.root, names.carried)
