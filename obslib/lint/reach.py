"""What a function reaches: the calls that leave the process or wait, in itself and in the functions it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from obslib.lint.module import Module
from obslib.lint.outside import outside, outside_of
from obslib.lint.scope import Scope, Site
from obslib.lint.uses import File, Function
from obslib.lint.value import Kind, Value

__all__ = ["Contact", "contacts", "probes"]


@dataclass(frozen=True, slots=True)
class Contact:
    """A call that leaves the process or waits: ``what`` it does, and the node of the file that was asked about."""

    node: ast.AST
    what: str
    call: ast.Call | None
    scope: Scope
    home: Module


def contacts(file: File, function: ast.AST) -> Iterator[Contact]:
    """Every contact of the function, those of the functions it calls among them, each once."""
    yield from _Walk(file).of(function, file.module)


def probes(function: Function, routes: tuple[str, ...], *, paths: frozenset[str], names: frozenset[str]) -> bool:
    """Whether the function answers a probe: by the last part of its path, or by its own name."""
    lasts = {part for path in routes for part in [path.rstrip("/").rpartition("/")[2]]}
    return not paths.isdisjoint(lasts) or function.name.strip("_") in names


class _Walk:
    def __init__(self, file: File) -> None:
        self.look = file.look
        self.seen: set[int] = set()

    def of(self, function: ast.AST, home: Module) -> Iterator[Contact]:
        if id(function) in self.seen:
            return
        self.seen.add(id(function))
        for site in _calls_in(function, home):
            assert isinstance(site.node, ast.Call)
            what = outside(self.look, site.node, site.scope, home)
            if what and self._is_said_already(site.node, site.scope, home):
                continue
            if what:
                yield Contact(site.node, what, site.node, site.scope, home)
            else:
                yield from self._through(site.node, _called(self.look.value(site.node.func, site.scope, home)), home)
        yield from self._entered(function, home)

    def _is_said_already(self, call: ast.Call, scope: Scope, home: Module) -> bool:
        """Of ``connect(…).execute(…)`` the first call is enough."""
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        base = base.value if isinstance(base, ast.Await) else base
        return isinstance(base, ast.Call) and bool(outside(self.look, base, scope, home))

    def _through(self, call: ast.Call, callee: Value, home: Module) -> Iterator[Contact]:
        if callee.kind is not Kind.FUNCTION or callee.node is None:
            return
        there: Module = callee.home[0]
        for found in self.of(callee.node, there):
            yield found if there is home else Contact(call, found.what, found.call, found.scope, found.home)

    def _entered(self, function: ast.AST, home: Module) -> Iterator[Contact]:
        scope = home.survey.opened_by(function)
        for node in ast.walk(function):
            for item in node.items if isinstance(node, (ast.With, ast.AsyncWith)) else ():
                if not isinstance(item.context_expr, ast.Call):
                    what = outside_of(self.look, item.context_expr, scope, home)
                    if what:
                        yield Contact(item.context_expr, what, None, scope, home)


def _calls_in(function: ast.AST, home: Module) -> list[Site]:
    """The calls that run when the function does, not those of functions that are only defined in it."""
    found = []
    for site in home.survey.sites:
        inner = site.scope.function if isinstance(site.node, ast.Call) else None
        if inner is not None and inner.node is function:
            found.append(site)
    return found


def _called(value: Value) -> Value:
    while value.kind is Kind.PARTIAL and value.base is not None:
        value = value.base
    return value
