"""What is made once per process, and whether it is made again and again."""

from __future__ import annotations

import ast

from obslib.lint.scope import How, Scope
from obslib.lint.uses import Binding, Declared, File, LabelDeclared, MetricCreated, Started, Use
from obslib.lint.value import Kind

__all__ = ["CREATIONS", "is_wiring", "made"]

CREATIONS = (Binding, MetricCreated, Started, Declared, LabelDeclared)
"""The uses that may make something."""

_BOUND = {
    "metrics": "a metric is bound", "span": "a span is bound", "operation": "an operation is bound", "loop": "a loop is bound",
    "check": "a check is registered", "watch": "a check is registered",
}  # fmt: skip
_MADE_OFTEN = ("get_logger", "getLogger", "CollectorRegistry")
"""Loggers are looked up, not made; prometheus_client's multiprocess mode wants a registry for every scrape."""

_CLOSED = frozenset({Kind.COLLECTION, Kind.CLASS, Kind.REASONS, Kind.TEXT})


def made(use: Use) -> str:
    """What the use makes, as the beginning of a sentence; empty when it makes nothing that is meant to last."""
    match use:
        case Binding(through=through):
            return _BOUND.get(through, "")
        case MetricCreated(kind=kind):
            return f"a metric is created by {kind}"
        case Started(what=what):
            return "" if what.endswith(_MADE_OFTEN) else f"{what}() is called"
        case Declared(value=value):
            return f"a {value.name} is declared"
        case LabelDeclared():
            return "a label is declared"
    return ""


def is_wiring(use: Use, file: File) -> bool:
    """Whether the loop around a use goes over what is to be made, once each: over a closed set, or over the declarations."""
    loop = use.site.loop
    if isinstance(loop, (ast.For, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        iterated = [loop.iter] if isinstance(loop, ast.For) else [each.iter for each in loop.generators]
        if all(_is_closed(each, use.scope, file) for each in iterated):
            return True
    if loop is None or not isinstance(use, Binding):
        return False
    return any(_is_of_loop(each.id, use.scope, loop) for each in ast.walk(use.key) if isinstance(each, ast.Name))


def _is_closed(node: ast.expr, scope: Scope, file: File) -> bool:
    """Whether a collection is written down: a literal, the arguments of a type, an enumeration, a constant of the catalog."""
    if isinstance(node, ast.Call):
        callee = file.value(node.func, scope)
        if callee.name == "typing.get_args":
            return True
        is_view = callee.kind is Kind.METHOD and callee.name in {"items", "keys", "values"} and callee.base is not None
        inner = [node.func.value] if is_view and isinstance(node.func, ast.Attribute) else node.args
        is_known = is_view or callee.name in {"builtins.enumerate", "builtins.zip", "builtins.sorted", "builtins.reversed"}
        return is_known and bool(inner) and all(_is_closed(each, scope, file) for each in inner)
    value = file.value(node, scope)
    if value.kind is Kind.COLLECTION:
        return value.node is not None or (value.base is not None and value.base.kind in {Kind.DECLARED, Kind.DECLARATION})
    return value.kind in _CLOSED


def _is_of_loop(name: str, scope: Scope, loop: ast.AST) -> bool:
    """Whether a name gets its value from the loop: its target, or something assigned in its body."""
    iterated = [loop.iter] if isinstance(loop, (ast.For, ast.AsyncFor)) else [g.iter for g in getattr(loop, "generators", ())]
    first, last = getattr(loop, "lineno", 0), getattr(loop, "end_lineno", 0)
    return any(
        binding.node in iterated or (binding.how is How.ASSIGNED and first <= getattr(binding.node, "lineno", 0) <= last)
        for binding in scope.find(name)
    )
