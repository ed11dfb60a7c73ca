"""What a parameter stands for: its object, what it is annotated with, or what every caller in sight hands it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from obslib.lint.custom import by_custom
from obslib.lint.scope import Binding, Scope
from obslib.lint.value import UNKNOWN, UNTYPED, Kind, Taint, Value, spelt, tainted, thing, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["is_private", "of_parameter"]

_BESIDE = {"scope": {"receive", "send"}, "environ": {"start_response"}}
"""What ASGI and WSGI call a request, and the parameters it comes with."""
_LEAVING = frozenset({"__exit__", "__aexit__"})
_FROM_CLIENT = frozenset({"Query", "Header", "Cookie", "Form", "Body", "Path"})
_MAY_BE_GIVEN = frozenset({Kind.UNKNOWN, Kind.STRING, Kind.NUMBER, Kind.COLLECTION})


def of_parameter(look: Evaluation, binding: Binding, home: Module) -> Value:
    """What the parameter is inside its function."""
    function = binding.scope.node
    assert isinstance(binding.node, ast.arg)
    owner = binding.scope.parent
    if owner is not None and owner.is_class and _is_self(function, binding.node):
        return Value(Kind.INSTANCE, node=owner.node, home=(home, owner.parent))
    told = look.annotation(binding.annotation, binding.scope.parent or binding.scope, home)
    given = _by_caller(function, binding.node) if told.kind in _MAY_BE_GIVEN else None
    if given is not None:
        return given
    if told.kind not in {Kind.UNKNOWN, Kind.STRING}:
        return told
    handed = spelt(_handed(look, function, binding.node.arg, home))
    is_whole = is_private(function, binding.scope) and handed.kind not in {Kind.UNKNOWN, Kind.UNTYPED}
    if is_whole or handed.kind in {Kind.TAINTED, Kind.STRING}:
        return handed
    if binding.annotation is None and handed.kind is Kind.FAMILY:
        return thing(Kind.FAMILY)
    if binding.annotation is None:
        return by_custom(binding.node.arg, home) or (UNKNOWN if isinstance(function, ast.Lambda) else UNTYPED)
    return told


def _by_caller(function: ast.AST, parameter: ast.arg) -> Value | None:
    """The value where the function says who calls it: a server, a route, the end of a ``with``; None for all others."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    listed = [*function.args.posonlyargs, *function.args.args]
    name = parameter.arg
    if name in _BESIDE and _BESIDE[name] <= {each.arg for each in listed}:
        return thing(Kind.REQUEST)
    if name == "request" and parameter.annotation is None and not function.name.startswith("_"):
        return thing(Kind.REQUEST)
    if function.name in _LEAVING and parameter in listed[1:4]:
        return thing(Kind.EXCEPTION)
    return tainted(Taint.REQUEST) if _is_of_route(function, parameter) else None


def _is_of_route(function: ast.FunctionDef | ast.AsyncFunctionDef, parameter: ast.arg) -> bool:
    """Whether the parameter is a part of the path that leads to the function, or declared to be of the request."""
    from obslib.lint.handlers import routes_of

    routes = routes_of(function)
    part = re.compile(rf"[{{<](?:\w+(?:\([^)]*\))?:)?{re.escape(parameter.arg)}[}}>:]")
    return any(map(part.search, routes)) or (bool(routes) and _is_declared_so(function.args, parameter))


def _is_declared_so(arguments: ast.arguments, parameter: ast.arg) -> bool:
    """``kind: str = Query("final")`` or ``agent: Annotated[str, Header()]``."""
    placed = [*arguments.posonlyargs, *arguments.args]
    said: list[ast.expr | None] = []
    for names, defaults in ((placed[::-1], arguments.defaults[::-1]), (arguments.kwonlyargs, arguments.kw_defaults)):
        said += [default for name, default in zip(names, defaults, strict=False) if name is parameter]
    if isinstance(parameter.annotation, ast.Subscript) and isinstance(parameter.annotation.slice, ast.Tuple):
        said += parameter.annotation.slice.elts[1:]
    made = (each.func for each in said if isinstance(each, ast.Call))
    return any(getattr(each, "attr", getattr(each, "id", "")) in _FROM_CLIENT for each in made)


def _handed(look: Evaluation, function: ast.AST, parameter: str, home: Module) -> Value:
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return UNKNOWN
    found = []
    for call, scope in look.call_sites(function.name, home):
        if look.value(call.func, scope, home).node is not function:
            continue
        given = _argument(call, function, parameter)
        if given is not None:
            found.append(look.value(given, scope, home))
    return unite(found) if found else UNKNOWN


def is_private(function: ast.AST, scope: Scope) -> bool:
    """Whether every caller is in sight: a private function, or one inside another."""
    name = getattr(function, "name", "")
    return name.startswith("_") or (scope.parent is not None and scope.parent.function is not None)


def _is_self(function: ast.AST, parameter: ast.arg) -> bool:
    """Whether this is the parameter through which a method sees its object."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    listed = [*function.args.posonlyargs, *function.args.args]
    is_static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)
    return bool(listed) and listed[0] is parameter and not is_static


def _argument(call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, parameter: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword.value
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if names and names[0] in {"self", "cls"} and isinstance(call.func, ast.Attribute):
        names = names[1:]
    if parameter in names and names.index(parameter) < len(call.args):
        given = call.args[names.index(parameter)]
        return None if isinstance(given, ast.Starred) else given
    return None
