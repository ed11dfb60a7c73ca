"""What an expression stands for, as far as its file and the files it imports tell.

A value is not what the program computes but what a rule must know of it: that it is a logger, that it is one of three
texts, that it came from a request. What cannot be told is ``UNKNOWN``, and stays so whatever is done with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from obslib.lint.signal import Signal

__all__ = [
    "ANYTHING",
    "MAPPING",
    "UNKNOWN",
    "UNTYPED",
    "Kind",
    "Taint",
    "Value",
    "imported",
    "spelt",
    "tainted",
    "text",
    "thing",
    "unite",
]

_MOST_TEXTS = 256


class Kind(StrEnum):
    """The sorts of values a rule can tell apart."""

    UNKNOWN = "unknown"
    UNTYPED = "untyped"
    MISSING = "missing"
    IMPORTED = "imported"
    FUNCTION = "function"
    CLASS = "class"
    INSTANCE = "instance"
    PARTIAL = "partial"
    METHOD = "method"
    COLLECTION = "collection"
    TEXT = "text"
    STRING = "string"
    NUMBER = "number"
    TAINTED = "tainted"
    FOREIGN = "foreign"
    REQUEST = "request"
    EXCEPTION = "exception"
    SECRET = "secret"
    DECLARED = "declared"
    DECLARATION = "declaration"
    REASONS = "reasons"
    OBSERVABILITY = "observability"
    METRICS = "metrics"
    LOG = "log"
    STRUCTLOG = "structlog"
    STDLIB_LOG = "stdlib_log"
    TRACER = "tracer"
    METER = "meter"
    FAMILY = "family"
    CELL = "cell"
    SPAN = "span"
    ACTIVE_SPAN = "active_span"
    OPERATION = "operation"
    PEER_METRIC = "peer_metric"


class Taint(StrEnum):
    """Where text without a bound comes from."""

    REQUEST = "the request"
    URL = "a URL"
    ID = "an id"
    EXCEPTION = "an exception"
    FORMATTED = "formatted text"
    UNBOUNDED = "a source without a bound"


@dataclass(frozen=True, slots=True)
class Value:
    """One value: ``kind`` says which of the other members mean something.

    ``name`` is a dotted name (imported, foreign, missing), a method's name or a declaration's kind; ``texts`` every text it
    can be, or None when they are bounded but not known; ``base`` the object of a method, the callable of a partial or the
    element of a collection; ``node`` and ``home`` the definition of a function or class, or the literal behind a collection,
    and the module that holds it.
    """

    kind: Kind
    name: str = ""
    signal: Signal | None = None
    taint: Taint | None = None
    texts: frozenset[str] | None = None
    base: Value | None = None
    node: ast.AST | None = None
    home: Any = None

    @property
    def is_log(self) -> bool:
        """Whether it is a logger of any of the three makes."""
        return self.kind in {Kind.LOG, Kind.STRUCTLOG, Kind.STDLIB_LOG}


UNKNOWN = Value(Kind.UNKNOWN)
UNTYPED = Value(Kind.UNTYPED)
"""An unannotated parameter of which nothing else is known, or part of one: no type checker looks at it either."""
ANYTHING = Value(Kind.STRING, name="anything")
"""What nobody says the type of, or only that it is an object: text as far as a label is concerned, maybe something else."""


MAPPING = "mapping"
"""The ``name`` of a collection that gives its keys when it is iterated and its element when it is asked for one."""


def thing(kind: Kind, signal: Signal | None = None) -> Value:
    """A telemetry object."""
    return Value(kind, signal=signal)


def text(*texts: str) -> Value:
    """One of these texts; without any, a bounded text that is not known."""
    return Value(Kind.TEXT, texts=frozenset(texts) if texts else None)


def tainted(taint: Taint) -> Value:
    """Text without a bound."""
    return Value(Kind.TAINTED, taint=taint)


def spelt(value: Value) -> Value:
    """The text of a value: what an exception or a request says has no bound."""
    taint = {Kind.EXCEPTION: Taint.EXCEPTION, Kind.REQUEST: Taint.REQUEST}.get(value.kind)
    return value if taint is None else tainted(taint)


def imported(name: str) -> Value:
    """Something of another module, by its dotted name."""
    return Value(Kind.IMPORTED, name=name)


def unite(values: Iterable[Value]) -> Value:
    """What is true of a value that may be any of these: the worst of them where one is tainted, what all agree on otherwise."""
    found = list(dict.fromkeys(values))
    if len(found) == 1:
        return found[0]
    for value in found:
        if value.kind is Kind.TAINTED:
            return value
    if found and all(value.kind is Kind.TEXT for value in found):
        known = [value.texts for value in found if value.texts is not None]
        merged = frozenset().union(*known)
        return Value(Kind.TEXT, texts=merged if len(known) == len(found) and len(merged) <= _MOST_TEXTS else None)
    told = [value for value in found if value.kind not in {Kind.UNKNOWN, Kind.TEXT}]
    if any(value.kind in {Kind.STRING, Kind.REQUEST, Kind.EXCEPTION} for value in told):
        return next(value for value in told if value.kind in {Kind.STRING, Kind.REQUEST, Kind.EXCEPTION})
    is_one_kind = len({value.kind for value in told}) == 1 and not any(value.kind is Kind.UNKNOWN for value in found)
    return _either(told) if is_one_kind else _first_thing(told)


_THINGS = frozenset({
    Kind.OBSERVABILITY, Kind.METRICS, Kind.LOG, Kind.STRUCTLOG, Kind.STDLIB_LOG, Kind.TRACER, Kind.METER, Kind.FAMILY,
    Kind.CELL, Kind.SPAN, Kind.ACTIVE_SPAN, Kind.OPERATION, Kind.PEER_METRIC, Kind.INSTANCE, Kind.METHOD, Kind.FUNCTION,
})  # fmt: skip


_OF_A_SIGNAL = frozenset({
    Kind.DECLARED, Kind.FAMILY, Kind.CELL, Kind.SPAN, Kind.ACTIVE_SPAN, Kind.OPERATION,
})  # fmt: skip


def _either(told: list[Value]) -> Value:
    """One of several of a kind: what holds for each of them, and nothing that holds for the first alone.

    A mapping or an empty one is that mapping: whoever leaves labels out does not add any.
    """
    first = told[0]
    names, bases = {value.name for value in told}, [value.base for value in told if value.base is not None]
    match first.kind:
        case Kind.DECLARED if len({value.signal for value in told}) > 1:
            return Value(Kind.DECLARATION, name=first.name if len(names) == 1 else "Declaration")
        case kind if kind in _OF_A_SIGNAL and len({value.signal for value in told}) > 1:
            return Value(kind)
        case Kind.COLLECTION:
            filled = [value for value in told if not (isinstance(value.node, ast.Dict) and not value.node.keys)]
            if len(filled) == 1:
                return filled[0]
            return Value(Kind.COLLECTION, name=first.name if len(names) == 1 else "", base=unite(bases) if bases else UNKNOWN)
        case Kind.METHOD if len(names) == 1:
            return Value(Kind.METHOD, name=first.name, base=unite(bases))
    return first


def _first_thing(told: list[Value]) -> Value:
    """A telemetry object stays one although another branch gives something that is not known."""
    things = [value for value in told if value.kind in _THINGS]
    if things:
        return _either([value for value in things if value.kind is things[0].kind])
    return UNTYPED if UNTYPED in told else UNKNOWN
