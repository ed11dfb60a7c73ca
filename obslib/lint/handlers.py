"""Which functions answer requests: they take one, or a route leads to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from obslib.lint.evaluation import Evaluation
from obslib.lint.scope import Scope
from obslib.lint.value import Kind, Value

__all__ = ["Function", "is_handler", "routes_of", "routes_registered"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

_VERBS = frozenset({
    "route", "get", "post", "put", "patch", "delete", "head", "options", "api_route", "websocket", "websocket_route",
    "middleware",
})  # fmt: skip
_WITHOUT_SLASH = frozenset({"path", "re_path"})
_OF_ENDPOINTS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "dispatch", "__call__"})


def is_handler(look: Evaluation, function: Function, scope: Scope) -> bool:
    """Whether the function answers requests, as far as it says so itself."""
    if any(_verb(decorator) for decorator in function.decorator_list):
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


def routes_registered(look: Evaluation) -> Mapping[int, tuple[str, ...]]:
    """The paths that calls such as ``Route("/livez", live)`` bind functions to, by the id of the function's node."""
    found: dict[int, tuple[str, ...]] = {}
    for site in look.module.survey.sites:
        if not isinstance(site.node, ast.Call):
            continue
        given = [*site.node.args, *(keyword.value for keyword in site.node.keywords)]
        paths = tuple(_paths(site.node, given))
        for each in given if paths else ():
            if isinstance(each, (ast.Name, ast.Attribute, ast.Call)):
                for function in _functions(look.value(each, site.scope)):
                    found[id(function)] = (*found.get(id(function), ()), *paths)
    return found


def _paths(call: ast.Call, given: list[ast.expr]) -> Iterator[str]:
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for each in given:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            if each.value.startswith("/"):
                yield each.value
            elif last in _WITHOUT_SLASH:
                yield f"/{each.value}"


def _functions(value: Value) -> Iterator[ast.AST]:
    """The functions behind an endpoint: itself, what a partial binds, the methods of a class that answer requests."""
    while value.kind is Kind.PARTIAL and value.base is not None:
        value = value.base
    if value.kind is Kind.FUNCTION and value.node is not None:
        yield value.node
    elif value.kind is Kind.CLASS and isinstance(value.node, ast.ClassDef):
        for each in value.node.body:
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.name in _OF_ENDPOINTS:
                yield each


def _verb(decorator: ast.expr) -> bool:
    """Whether a decorator is a router's, ``@app.get("/livez")``: a verb of a router, called with a path."""
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return False
    given = [*decorator.args[:1], *(keyword.value for keyword in decorator.keywords if keyword.arg in {"path", "rule"})]
    has_path = any(isinstance(each, ast.Constant) and str(each.value).startswith("/") for each in given)
    return decorator.func.attr in _VERBS and has_path
