"""Which labels a result carries: followed through the expression as Prometheus' engine would.

A label that is not among them is certainly not there, unless the set is open (a name that is not known, ``info()``). That
is what lets a lost ``by`` label or a template's reference be reported without crying wolf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from obslib.lint.artifacts.terms import Aggregation, Call, Combination, Constant, Selector, Term, Wrapped, is_vector

__all__ = ["Carried", "Find", "carried"]

_KEEPS_ALL = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_SETS = frozenset({"and", "unless"})
_COMPARES = frozenset({"==", "!=", "<", ">", "<=", ">="})
_KEEPS_NAME = frozenset({"last_over_time", "first_over_time", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc"})
_WITHOUT_LABELS = frozenset({"scalar", "vector", "time", "pi"})


@dataclass(frozen=True, slots=True)
class Carried:
    """Labels that a result may carry; nothing but them, unless it is open."""

    labels: frozenset[str]
    is_open: bool = False

    @staticmethod
    def of(labels: Iterable[str]) -> Carried:
        """Exactly these at most."""
        return Carried(frozenset(labels))

    @staticmethod
    def anything() -> Carried:
        """What cannot be known."""
        return Carried(frozenset(), is_open=True)

    def __contains__(self, label: str) -> bool:
        return self.is_open or label in self.labels

    def plus(self, labels: Iterable[str]) -> Carried:
        """These as well."""
        return Carried(self.labels | set(labels), self.is_open)

    def minus(self, labels: Iterable[str]) -> Carried:
        """All but these."""
        return Carried(self.labels - set(labels), self.is_open)

    def only(self, labels: Iterable[str]) -> Carried:
        """Those of these that may be there."""
        return Carried(frozenset(label for label in labels if label in self))

    def either(self, other: Carried) -> Carried:
        """What one of two results carries."""
        return Carried(self.labels | other.labels, self.is_open or other.is_open)

    @property
    def unnamed(self) -> Carried:
        """All but the name of the metric."""
        return self.minus(["__name__"])


Find = Callable[[str], Carried | None]
"""The labels that the series of a name carry; None when there is no such name."""


def carried(term: Term, find: Find) -> Carried:
    """The labels of the result of a term, ``find`` telling those of each name."""
    match term:
        case Selector(name=name):
            return find(name) or Carried.anything()
        case Wrapped(inner=inner, is_signed=is_signed):
            return carried(inner, find).unnamed if is_signed else carried(inner, find)
        case Aggregation():
            return _aggregated(term, find)
        case Combination():
            return _combined(term, find)
        case Call():
            return _called(term, find)
    return Carried.of(())


def _aggregated(term: Aggregation, find: Find) -> Carried:
    inner = carried(term.inner, find)
    if term.operator in _KEEPS_ALL:
        return inner
    if term.labels is None:
        kept = Carried.of(())
    else:
        kept = inner.minus(term.labels).unnamed if term.is_without else inner.only(term.labels)
    match term:
        case Aggregation(operator="count_values", parameter=Constant(text=made)):
            return kept.plus([made])
    return kept


def _combined(term: Combination, find: Find) -> Carried:
    left, right = carried(term.left, find), carried(term.right, find)
    if term.operator in _SETS:
        return left
    if term.operator == "or":
        return left.either(right)
    if not (is_vector(term.left) and is_vector(term.right)):
        both = left.either(right)
        return both if term.operator in _COMPARES else both.unnamed
    if term.many:
        return (left if term.many == "left" else right).plus(term.copied).unnamed
    if term.matching is None:
        return left if term.operator in _COMPARES else left.unnamed
    return left.minus(term.matching).unnamed if term.is_ignoring else left.only(term.matching)


def _called(term: Call, find: Find) -> Carried:
    vectors = [each for each in term.arguments if is_vector(each)]
    if term.name in _WITHOUT_LABELS or not vectors:
        return Carried.of(())
    if term.name in ("absent", "absent_over_time"):
        return Carried.of(_fixed(vectors[0]))
    if term.name == "info":
        return Carried.anything()
    inner = carried(vectors[0], find)
    match term:
        case Call(name="label_replace" | "label_join", arguments=(_, Constant(text=made), *_)):
            return inner.plus([made])
        case Call(name="histogram_quantile"):
            return inner.minus(["le"]).unnamed
    return inner if term.name in _KEEPS_NAME else inner.unnamed


def _fixed(term: Term) -> Iterable[str]:
    """The labels that a selector fixes to one value: what ``absent()`` puts on its result."""
    while isinstance(term, Wrapped):
        term = term.inner
    matchers = term.matchers if isinstance(term, Selector) else ()
    return [each.label for each in matchers if each.operator == "=" and each.label != "__name__"]
