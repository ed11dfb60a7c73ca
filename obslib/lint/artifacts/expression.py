"""PromQL read: promql-parser's tree becomes terms of ours, each name with its place.

Where the parser and the tokens do not agree about the selectors, the whole expression is pointed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from obslib.lint.artifacts.terms import (
    Aggregation,
    Call,
    Combination,
    Constant,
    Matcher,
    Selector,
    Span,
    Term,
    Wrapped,
    walk,
)
from obslib.lint.artifacts.tokens import Spot, Written, depth

if TYPE_CHECKING:
    import promql_parser as promql

__all__ = ["Expression", "QueryError", "parse"]

_LONGEST = 10_000
_DEEPEST = 200
_TOO_MUCH = f"it is longer than {_LONGEST} characters or nested deeper than {_DEEPEST}"
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_SIDES = {"VectorMatchCardinality.ManyToOne": "left", "VectorMatchCardinality.OneToMany": "right"}


class QueryError(ValueError):
    """The text is no PromQL; the message says what the parser said."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed query; spans are offsets in its ``text``."""

    text: str
    root: Term
    written: Written

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every term, outermost first."""
        return tuple(walk(self.root))

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Every selector, as they are written."""
        return tuple(term for term in walk(self.root) if isinstance(term, Selector))

    def grouping_span(self, label: str) -> Span:
        """Where a ``by``, ``on`` or the like first names ``label``."""
        return self.written.groupings.get(label, (0, len(self.text)))


def parse(text: str) -> Expression:
    """Read one expression; raises QueryError."""
    import promql_parser

    if not text.strip():
        raise QueryError("there is no query")
    if len(text) > _LONGEST or depth(text) > _DEEPEST:
        raise QueryError(_TOO_MUCH)
    try:
        root = promql_parser.parse(text)
        written = Written(text)
        try:
            return Expression(text, _Reader(text, written.selectors).term(root), written)
        except _Disagreement:
            return Expression(text, _Reader(text, None).term(root), written)
    except ValueError as error:
        raise QueryError(" ".join(str(error).split())) from None


class _Disagreement(Exception):
    """The tokens tell of other selectors than the parser."""


class _Reader:
    """Turns the parser's nodes into terms; ``spots`` are taken in order, None gives every name the whole expression."""

    def __init__(self, text: str, spots: list[Spot] | None) -> None:
        self._whole = (0, len(text))
        self._spots = None if spots is None else list(spots)
        self._depth = 0

    def term(self, node: Any, function: str = "") -> Term:
        """The term that ``node`` is; ``function`` is what is applied to its range. Raises QueryError past the depth."""
        if self._depth > _DEEPEST:
            raise QueryError(_TOO_MUCH)
        self._depth += 1
        found = self._read(node, function)
        self._depth -= 1
        return found

    def _read(self, node: Any, function: str) -> Term:
        match type(node).__name__:
            case "VectorSelector":
                return self._selector(node, function)
            case "MatrixSelector":
                return Wrapped(self._selector(node.vector_selector, function))
            case "SubqueryExpr" | "ParenExpr":
                return Wrapped(self.term(node.expr))
            case "UnaryExpr":
                return Wrapped(self.term(node.expr), is_signed=True)
            case "AggregateExpr":
                return self._aggregation(node)
            case "BinaryExpr":
                return self._combination(node)
            case "Call":
                return Call(node.func.name, tuple(self.term(each, node.func.name) for each in node.args))
            case _:
                return Constant(str(node.val))

    def _aggregation(self, node: promql.AggregateExpr) -> Aggregation:
        modifier, parameter = node.modifier, node.param
        return Aggregation(
            operator=str(node.op),
            parameter=self.term(parameter) if parameter is not None else None,
            inner=self.term(node.expr),
            labels=tuple(modifier.labels) if modifier is not None else None,
            is_without=modifier is not None and str(modifier.type) == "AggModifierType.Without",
        )

    def _combination(self, node: promql.BinaryExpr) -> Combination:
        modifier = node.modifier
        matching = modifier.matching if modifier is not None else None
        return Combination(
            operator=str(node.op),
            left=self.term(node.lhs),
            right=self.term(node.rhs),
            matching=tuple(matching.labels) if matching is not None else None,
            is_ignoring=matching is not None and str(matching.type) == "LabelModifierType.Exclude",
            many=_SIDES.get(str(modifier.card), "") if modifier is not None else "",
            copied=tuple(modifier.group_labels or ()) if modifier is not None else (),
        )

    def _selector(self, node: promql.VectorSelector, function: str) -> Selector:
        listed = [*node.matchers.matchers, *(each for group in node.matchers.or_matchers for each in group)]
        found = [(each.name, _OPERATORS[str(each.op)], each.value) for each in listed]
        fixed = [value for label, operator, value in found if label == "__name__" and operator == "="]
        name = node.name or (fixed[0] if fixed else "")
        spot = self._spot(name)
        if spot is None:
            matchers = [Matcher(*each, self._whole, self._whole) for each in found]
            return Selector(name=name, matchers=tuple(matchers), span=self._whole, function=function)
        spans, matchers = list(spot.matchers), []
        for label, operator, value in found:
            at = next((each for each in spans if each[0] == label), (label, spot.span, spot.span))
            if at in spans:
                spans.remove(at)
            matchers.append(Matcher(label, operator, value, at[1], at[2]))
        return Selector(name=name, matchers=tuple(matchers), span=spot.span, function=function)

    def _spot(self, name: str) -> Spot | None:
        if self._spots is None:
            return None
        if not self._spots or self._spots[0].name not in ("", name):
            raise _Disagreement
        return self._spots.pop(0)
