"""What texts, numbers and collections put together are: an f-string, ``+``, ``%``, a status code's class."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from obslib.lint.value import UNKNOWN, Kind, Taint, Value, spelt, tainted, text, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation

__all__ = ["combined", "joined"]

_MOST_PRODUCTS = 64
_HUNDRED = frozenset({"100"})
"""What a status code is divided by to get its class; there are five of them."""


def joined(parts: list[Value]) -> Value:
    """What an f-string of these parts is."""
    worst = next((part for part in map(spelt, parts) if part.kind is Kind.TAINTED), None)
    return worst or _product(parts) or tainted(Taint.FORMATTED)


def combined(look: Evaluation, left: Value, op: ast.operator, right: Value) -> Value:
    """What an operator makes of its two sides."""
    if left.kind is Kind.COLLECTION:
        return Value(Kind.COLLECTION, base=unite((look.each(left), look.each(right))))
    right = look.each(right) if right.kind is Kind.COLLECTION else right
    for side in (spelt(left), spelt(right)):
        if side.kind is Kind.TAINTED:
            return side
    if isinstance(op, ast.Add):
        is_text = any(side.kind in {Kind.TEXT, Kind.STRING} for side in (left, right))
        return _product([left, right]) or (tainted(Taint.FORMATTED) if is_text else UNKNOWN)
    if isinstance(op, ast.FloorDiv) and right.texts == _HUNDRED:
        return text()
    if left.kind is Kind.TEXT and not _are_numbers(left):
        return tainted(Taint.FORMATTED) if isinstance(op, ast.Mod) else UNKNOWN
    return Value(Kind.NUMBER)


def _product(parts: list[Value]) -> Value | None:
    """Bounded texts put together are bounded."""
    whole = [""]
    for part in parts:
        if part.kind is not Kind.TEXT:
            return None
        if part.texts is None:
            return text()
        whole = [start + end for start in whole for end in part.texts]
        if len(whole) > _MOST_PRODUCTS:
            return tainted(Taint.FORMATTED)
    return text(*whole)


def _are_numbers(value: Value) -> bool:
    return value.texts is not None and all(each.lstrip("-").replace(".", "", 1).isdigit() for each in value.texts)
