"""Where in a function a name is less than all that is ever assigned to it.

Three things people write are enough to tell: a later assignment of the same block replaces an earlier one, inside ``if kind
in KINDS:`` the name is one of these, and after ``if kind not in KINDS: kind = "other"`` it is as well. All of it goes by
lines; what is harder than that stays the union of all assignments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obslib.lint.scope import Binding, Scope

__all__ = ["Narrowing", "Region", "dotted_path", "latest", "narrowed_by", "regions"]

_ENDLESS = 1 << 30
_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """In its region, the expression spelt ``path`` is one of ``among``, or equal to it when ``is_equal``."""

    path: str
    among: ast.expr
    is_equal: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """The lines of a scope in which a narrowing holds, or the name is ``instead``."""

    narrowing: Narrowing
    scope: Scope
    first: int
    last: int
    instead: ast.expr | None = None


def dotted_path(node: ast.AST) -> str:
    """``request.method`` for a name and attributes of it; empty for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted_path(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def narrowed_by(test: ast.expr) -> Iterator[tuple[Narrowing, bool]]:
    """What a test says of names, and whether it says so when it is true; otherwise when it is false."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[among]) if isinstance(op, (ast.In, ast.NotIn, ast.Eq, ast.NotEq)):
            path = dotted_path(left)
            is_equal = isinstance(op, (ast.Eq, ast.NotEq))
            if path and (not is_equal or isinstance(among, ast.Constant)):
                yield Narrowing(path, among, is_equal), isinstance(op, (ast.In, ast.Eq))
        case ast.BoolOp(op=ast.And(), values=values):
            yield from ((found, True) for each in values for found, holds in narrowed_by(each) if holds)
        case ast.BoolOp(op=ast.Or(), values=values):
            yield from ((found, False) for each in values for found, holds in narrowed_by(each) if not holds)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield from ((found, not holds) for found, holds in narrowed_by(inner))


def regions(node: ast.If, scope: Scope) -> Iterator[Region]:
    """Where the test of an ``if`` narrows a name: in the branch it leads to, and behind when the other one leaves or mends."""
    for narrowing, holds in narrowed_by(node.test):
        kept, other = (node.body, node.orelse) if holds else (node.orelse, node.body)
        if kept:
            yield Region(narrowing, scope, kept[0].lineno, kept[-1].end_lineno or kept[-1].lineno)
        instead = _assigned(other, narrowing.path)
        if instead is not None or (other and isinstance(other[-1], _LEAVING)):
            yield Region(narrowing, scope, (node.end_lineno or node.lineno) + 1, _ENDLESS, instead)


def latest(bindings: Sequence[Binding], node: ast.expr, scope: Scope) -> Sequence[Binding]:
    """The bindings that can have given the name its value where ``node`` reads it."""
    if len(bindings) < 2 or bindings[0].scope is not scope.inline:
        return bindings
    line = getattr(node, "lineno", 0)
    since = max((each.line for each in bindings if each.line < line <= each.until), default=0)
    return [each for each in bindings if each.line >= since] if since else bindings


def _assigned(body: Sequence[ast.stmt], path: str) -> ast.expr | None:
    """What the body makes of the name, by its last plain assignment."""
    for statement in reversed(body):
        if isinstance(statement, ast.Assign) and any(dotted_path(target) == path for target in statement.targets):
            return statement.value
    return None
