"""Where in a function a name is less than all that is ever assigned to it.

Three things people write are enough to tell: a later assignment of the same block replaces an earlier one, inside ``if kind
in KINDS:`` the name is one of these (``match``, ``while`` and ``assert`` say the same), and after ``if kind not in KINDS: kind
= "other"`` it is as well. All of it goes by lines; what is harder than that stays the union of all assignments.
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
            yield from _any_of(values)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield from ((found, not holds) for found, holds in narrowed_by(inner))


def regions(node: ast.If | ast.While | ast.Assert | ast.Match, scope: Scope) -> Iterator[Region]:
    """Where a test narrows a name: in the branch it leads to, and behind when the other one leaves or mends."""
    match node:
        case ast.If():
            yield from _of_if(node, scope)
        case ast.While(test=test, body=body):
            yield from (_inside(found, scope, body) for found, holds in narrowed_by(test) if holds)
        case ast.Assert(test=test):
            yield from (_behind(found, scope, node) for found, holds in narrowed_by(test) if holds)
        case ast.Match(subject=subject, cases=cases) if dotted_path(subject):
            for case in cases:
                values = _values_of(case.pattern)
                if values:
                    among = ast.Tuple(elts=values, ctx=ast.Load())
                    yield _inside(Narrowing(dotted_path(subject), among), scope, case.body)


def _of_if(node: ast.If, scope: Scope) -> Iterator[Region]:
    for narrowing, holds in narrowed_by(node.test):
        kept, other = (node.body, node.orelse) if holds else (node.orelse, node.body)
        if kept:
            yield _inside(narrowing, scope, kept)
        instead = _assigned(other, narrowing.path)
        if instead is not None or (other and isinstance(other[-1], _LEAVING)):
            yield _behind(narrowing, scope, node, instead)


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


def _inside(narrowing: Narrowing, scope: Scope, body: Sequence[ast.stmt]) -> Region:
    return Region(narrowing, scope, body[0].lineno, body[-1].end_lineno or body[-1].lineno)


def _behind(narrowing: Narrowing, scope: Scope, node: ast.stmt, instead: ast.expr | None = None) -> Region:
    return Region(narrowing, scope, (node.end_lineno or node.lineno) + 1, _ENDLESS, instead)


def _any_of(tests: Sequence[ast.expr]) -> Iterator[tuple[Narrowing, bool]]:
    """``kind == "a" or kind == "b"``: one of the two."""
    found = [narrowing for each in tests for narrowing, holds in narrowed_by(each) if holds and narrowing.is_equal]
    if len(found) == len(tests) and len({each.path for each in found}) == 1:
        yield Narrowing(found[0].path, ast.Tuple(elts=[each.among for each in found], ctx=ast.Load())), True


def _values_of(pattern: ast.pattern) -> list[ast.expr]:
    """The constants that a pattern matches; empty when it may match anything else."""
    if isinstance(pattern, ast.MatchValue):
        return [pattern.value]
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        return _values_of(pattern.pattern)
    found = [_values_of(each) for each in pattern.patterns] if isinstance(pattern, ast.MatchOr) else []
    return [value for values in found for value in values] if all(found) else []
