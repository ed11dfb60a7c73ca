"""Which functions answer requests: they take one, or a route leads to them."""

from __future__ import annotations

import ast

from obslib.lint.evaluation import Evaluation
from obslib.lint.scope import Scope
from obslib.lint.value import Kind

__all__ = ["is_handler", "routes_of"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

_VERBS = frozenset(
    {
        "route",
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "api_route",
        "websocket",
        "websocket_route",
        "middleware",
    }
)


def is_handler(look: Evaluation, function: Function, scope: Scope) -> bool:
    """Whether the function answers requests."""
    if routes_of(function) or any(_verb(decorator) for decorator in function.decorator_list):
        return True
    parameters = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return any(look.name(parameter.arg, scope, look.module).kind is Kind.REQUEST for parameter in parameters)


def routes_of(function: Function) -> tuple[str, ...]:
    """The constant paths that the function's decorators bind it to."""
    found = []
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and _verb(decorator):
            given = [*decorator.args[:1], *(k.value for k in decorator.keywords if k.arg in {"path", "rule"})]
            found += [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return tuple(path for path in found if path.startswith("/"))


def _verb(decorator: ast.expr) -> bool:
    """Whether a decorator is a router's, ``@app.get("/livez")``: a verb of a router, called with a path."""
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return False
    first = decorator.args[0] if decorator.args else None
    has_path = isinstance(first, ast.Constant) and isinstance(first.value, str) and first.value.startswith("/")
    return decorator.func.attr in _VERBS and has_path
