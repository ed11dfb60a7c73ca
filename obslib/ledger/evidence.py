"""What of a test can run, and whether it can fail there: read from its syntax, as far as that says.

A claim that nothing reaches, or that holds whatever the code under test does, proves nothing. What only running it would
tell (a condition that happens never to hold) is for the reviewer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = ["Function", "is_claim", "is_skipped", "running", "skips_itself"]

Function = ast.FunctionDef | ast.AsyncFunctionDef
_EXPECTS = ("raises", "warns")
_FAILS = ("fail", "wait_for")
_SKIPS = ("skip", "xfail")


def running(start: ast.stmt) -> Iterator[ast.AST]:
    """Every node that can run when ``start`` does: nothing after a return, and of the functions inside those that are used."""
    entered, used, unused = {id(start)}, set[str](), dict[str, list[ast.AST]]()
    ahead: list[ast.AST] = [start]
    while ahead:
        node = ahead.pop()
        if isinstance(node, Function) and id(node) not in entered:
            entered.add(id(node))
            if not node.decorator_list and node.name not in used:
                unused.setdefault(node.name, []).append(node)
                continue
        yield node
        match node:
            case ast.Name(id=name):
                used.add(name)
                ahead += unused.pop(name, [])
            case ast.ClassDef(body=body):
                entered.update(map(id, body))
        ahead += _parts(node)


def is_claim(node: ast.AST) -> bool:
    """Whether the code can fail here by its own will: it asserts, expects an exception, or waits for what must come."""
    match node:
        case ast.Assert(test=test):
            return not _always_holds(test)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return any(_called(inner) in _EXPECTS for item in items for inner in ast.walk(item.context_expr))
        case ast.Call(args=args):
            return _called(node) in _FAILS or (_called(node) in _EXPECTS and len(args) > 1)
    return False


def is_skipped(mark: ast.expr | None) -> bool:
    """Whether a mark, or one of a list of marks, keeps its test from running wherever it is run."""
    match mark:
        case ast.Attribute(attr="skip" | "xfail"):
            return True
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=[_, ast.List(elts=[]) | ast.Tuple(elts=[])]):
            return True
        case ast.Call(func=ast.Attribute(attr="skipif"), args=conditions, keywords=named):
            conditions = [*conditions, *(keyword.value for keyword in named if keyword.arg == "condition")]
            return any(map(_is_fixed, conditions))
        case ast.Call():
            return _called(mark) in _SKIPS
        case ast.List(elts=marks) | ast.Tuple(elts=marks):
            return any(map(is_skipped, marks))
    return False


def skips_itself(body: Iterable[ast.stmt]) -> bool:
    """Whether the statements skip their test, whatever happens."""
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Call() as call) if is_skipped(call):
                return True
            case ast.If() if skips_itself(_taken(statement) or ()):
                return True
        if _ends(statement):
            return False
    return False


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    taken = _taken(node)
    for _, value in ast.iter_fields(node) if taken is None else [("", taken)]:
        if isinstance(value, ast.AST):
            yield value
        for part in value if isinstance(value, list) else ():
            if isinstance(part, ast.AST):
                yield part
                if _ends(part):
                    break


def _taken(node: ast.AST) -> list[ast.stmt] | None:
    """The only branch that can run, where the condition is a constant."""
    match node:
        case ast.If(test=ast.Constant(value=value), body=body, orelse=other):
            return body if value else other
        case ast.While(test=ast.Constant(value=value), orelse=other) if not value:
            return other
    return None


def _ends(node: ast.AST) -> bool:
    """Whether nothing after this statement runs."""
    match node:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return True
        case ast.Expr(value=ast.Call() as call):
            return is_skipped(call)
        case ast.If():
            return any(map(_ends, _taken(node) or ()))
    return False


def _always_holds(test: ast.expr) -> bool:
    match test:
        case ast.Tuple(elts=[_, *_]) | ast.Lambda() | ast.JoinedStr():
            return True
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(isinstance(value, ast.Constant) and value.value for value in values)
    return _is_fixed(test)


def _is_fixed(expression: ast.expr) -> bool:
    """Whether it depends on nothing: it is made of constants alone."""
    return not any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(expression))


def _called(node: ast.AST) -> str:
    """The last name of the function that is called here; empty when none is."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
    return ""
