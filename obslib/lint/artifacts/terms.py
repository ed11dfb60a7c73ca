"""What a PromQL expression is made of, for those who ask what it means: small, typed, and with the places of its names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "Aggregation", "Call", "Combination", "Constant", "Matcher", "Selector", "Span", "Term", "Wrapped", "children", "is_vector",
    "walk",
]  # fmt: skip

Span = tuple[int, int]
"""Where something is written in the expression: its first character and the one after its last."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector: ``label operator "value"``."""

    label: str
    operator: str
    value: str
    span: Span
    value_span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A vector selector; ``name`` is empty when none is fixed, ``function`` is what is applied to its range, if anything."""

    name: str
    matchers: tuple[Matcher, ...]
    span: Span
    function: str = ""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, or a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Another term in parentheses, over a range, or with a sign before it."""

    inner: Term
    is_signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """``operator by (labels) (inner)``; ``labels`` is None when there is no grouping."""

    operator: str
    inner: Term
    parameter: Term | None = None
    labels: tuple[str, ...] | None = None
    is_without: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """``left operator on (matching) group_left (copied) right``; ``many`` says which side may have several series."""

    operator: str
    left: Term
    right: Term
    matching: tuple[str, ...] | None = None
    is_ignoring: bool = False
    many: str = ""
    copied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: tuple[Term, ...]


Term = Selector | Constant | Wrapped | Aggregation | Combination | Call


def children(term: Term) -> tuple[Term, ...]:
    """The terms that ``term`` is made of, as they are written."""
    match term:
        case Wrapped(inner=inner):
            return (inner,)
        case Aggregation(inner=inner, parameter=parameter):
            return (inner,) if parameter is None else (parameter, inner)
        case Combination(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
    return ()


def walk(term: Term) -> Iterator[Term]:
    """``term`` and every term in it, outermost first and as they are written."""
    yield term
    for child in children(term):
        yield from walk(child)


def is_vector(term: Term) -> bool:
    """Whether a term gives series, not one number or a text."""
    match term:
        case Constant():
            return False
        case Wrapped(inner=inner):
            return is_vector(inner)
        case Combination(left=left, right=right):
            return is_vector(left) or is_vector(right)
        case Call(name=name):
            return name not in ("scalar", "time", "pi")
    return True
