"""What a function reaches: the calls that leave the process or wait, in itself and in the functions it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from obslib.lint.module import Module
from obslib.lint.outside import outside, outside_of
from obslib.lint.scope import Scope
from obslib.lint.survey import Site
from obslib.lint.uses import File, Function, FunctionDefined
from obslib.lint.value import Kind, Value

__all__ = ["Contact", "Probe"]

_DISPATCHING = frozenset({"do_GET", "do_HEAD", "__call__", "app", "application", "dispatch", "handle"})
"""Functions that answer several paths by comparing them."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A call that leaves the process or waits, and ``what`` it does; ``node`` is where the file asked about leads to it.

    ``call`` is the call itself, seen from ``scope`` of ``home``; None where a ``with`` takes a lock.
    """

    node: ast.AST
    what: str
    call: ast.Call | None
    scope: Scope
    home: Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A kind of probe: the last parts of its paths, and the names of functions that answer it."""

    paths: frozenset[str]
    names: frozenset[str]

    def contacts(self, use: FunctionDefined, file: File) -> Iterator[Contact]:
        """Every contact of a function that answers such a probe, or of the branch of it that does; each once."""
        function = use.function
        if any(map(self._is_path, use.routes)) or (function.name.strip("_") in self.names and not _is_asked_of_others(use)):
            yield from _Walk(file).of(function, file.module)
        elif function.name in _DISPATCHING:
            for branch in self._branches(function):
                yield from _Walk(file).of(function, file.module, branch)

    def _is_path(self, path: object) -> bool:
        return isinstance(path, str) and path.startswith("/") and path.rstrip("/").rpartition("/")[2] in self.paths

    def _branches(self, function: Function) -> Iterator[range]:
        """The lines below ``if self.path == "/livez":`` and ``case "/livez":``."""
        for node in ast.walk(function):
            match node:
                case ast.If(test=test, body=body) | ast.match_case(pattern=test, body=body):
                    constants = (each.value for each in ast.walk(test) if isinstance(each, ast.Constant))
                    if any(map(self._is_path, constants)):
                        yield range(body[0].lineno, (body[-1].end_lineno or body[-1].lineno) + 1)


def _is_asked_of_others(use: FunctionDefined) -> bool:
    """``worker.is_alive()`` is asked by the program, about another process or thread; no route leads to it."""
    return isinstance(use.scope.node, ast.ClassDef) and use.function.name == "is_alive"


class _Walk:
    def __init__(self, file: File) -> None:
        self.look = file.look
        self.seen: set[int] = set()

    def of(self, function: ast.AST, home: Module, lines: range | None = None) -> Iterator[Contact]:
        """The contacts of the function, those of the functions it calls among them; of some of its ``lines`` if given."""
        if id(function) in self.seen:
            return
        self.seen.add(id(function))
        for site in _calls_in(function, home):
            assert isinstance(site.node, ast.Call)
            if lines is not None and site.node.lineno not in lines:
                continue
            what = outside(self.look, site.node, site.scope, home)
            if not what:
                yield from self._through(site.node, _called(self.look.value(site.node.func, site.scope, home)), home)
            elif not self._is_said_already(site.node, site.scope, home):
                yield Contact(site.node, what, site.node, site.scope, home)
        for found in self._entered(function, home):
            if lines is None or getattr(found.node, "lineno", 0) in lines:
                yield found

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
