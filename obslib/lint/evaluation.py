"""What an expression stands for: names followed through assignments, returns, attributes and imports.

Only what can be told without running anything: simple assignments, what a function of the project returns, what a method
puts on ``self``, annotations. Every question is answered once; one that comes back to itself is ``UNKNOWN``.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obslib.lint import annotation, real
from obslib.lint.binding import given
from obslib.lint.calls import called
from obslib.lint.custom import by_custom
from obslib.lint.flow import latest
from obslib.lint.joining import combined, joined
from obslib.lint.known import is_obslib, is_own, known_object
from obslib.lint.members import enum_texts, member, of_request
from obslib.lint.module import Module, Project
from obslib.lint.narrowing import either, narrowed
from obslib.lint.scope import Binding, How, Scope
from obslib.lint.value import MAPPING, UNKNOWN, Kind, Value, imported, text, unite

__all__ = ["Evaluation"]

_BUILTINS = frozenset(dir(builtins))
_DEEPEST = 64
"""So many steps lead from a name to its value in no code that people read; a chain that is longer is unknown."""


class Evaluation:
    """Answers for one module of a project; ``read`` are the files it looked for to answer, there or not."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project
        self.read: set[Path] = set()
        self._known: dict[tuple[int, int], Value] = {}
        self._names: dict[tuple[str, int], Value] = {}
        self._kept: list[ast.AST] = []
        self._asked: set[str] = set()
        self._depth = 0
        self._sites: dict[int, dict[str, list[tuple[ast.Call, Scope]]]] = {}

    def value(self, node: ast.AST | None, scope: Scope, module: Module | None = None) -> Value:
        """What ``node`` stands for, seen from ``scope`` of ``module``."""
        if node is None:
            return UNKNOWN
        home = module or self.module
        key = (id(node), id(scope))
        if key not in self._known:
            self._known[key] = UNKNOWN
            self._kept.append(node)
            if self._depth < _DEEPEST:
                self._depth += 1
                self._known[key] = self._value(node, scope, home)
                self._depth -= 1
        return self._known[key]

    def _value(self, node: ast.AST, scope: Scope, home: Module) -> Value:
        match node:
            case ast.Name():
                return narrowed(self, node, scope, home) or self.read_at(node, scope, home)
            case ast.Attribute(value=base, attr=attr):
                return narrowed(self, node, scope, home) or member(self, self.value(base, scope, home), attr)
            case ast.Call():
                return called(self, node, scope, home)
            case ast.Constant(value=constant):
                return text(str(constant)) if constant is not ... else UNKNOWN
            case ast.JoinedStr(values=parts):
                return joined([self.value(part, scope, home) for part in parts])
            case ast.FormattedValue(value=inner):
                return self.value(inner, scope, home)
            case ast.BinOp(left=left, op=op, right=right):
                return combined(self, self.value(left, scope, home), op, self.value(right, scope, home))
            case ast.IfExp():
                return either(self, node, scope, home)
            case ast.BoolOp(values=values):
                return unite(self.value(each, scope, home) for each in values)
            case ast.NamedExpr(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner):
                return self.value(inner, scope, home)
            case ast.Subscript(value=base, slice=key):
                return self._item(self.value(base, scope, home), key, scope, home)
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return text("True", "False")
            case ast.Lambda():
                return Value(Kind.FUNCTION, node=node, home=(home, scope))
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.ListComp() | ast.SetComp() | ast.DictComp():
                return self._collection(node, scope, home)
            case ast.GeneratorExp():
                return self._collection(node, scope, home)
        return UNKNOWN

    def name(self, name: str, scope: Scope, home: Module) -> Value:
        """What a name stands for, all its bindings taken together."""
        key = (name, id(scope))
        if key not in self._names:
            self._names[key] = UNKNOWN
            self._names[key] = self._name(name, scope, home)
        return self._names[key]

    def _name(self, name: str, scope: Scope, home: Module) -> Value:
        found = scope.find(name)
        if not found:
            return self._starred(name, home) or (imported(f"builtins.{name}") if name in _BUILTINS else UNKNOWN)
        return unite(self.bound(binding, home) for binding in found if binding.how is not How.ANNOTATED or len(found) == 1)

    def read_at(self, node: ast.Name, scope: Scope, home: Module) -> Value:
        """What a name stands for where it is read, after what was assigned last."""
        found = scope.find(node.id)
        kept = [each for each in latest(found, node, scope) if not _augments(each.node, node)]
        return self.name(node.id, scope, home) if len(kept) == len(found) else unite(self.bound(each, home) for each in kept)

    def bound(self, binding: Binding, home: Module) -> Value:
        """What one binding gives to its name."""
        return given(self, binding, home)

    def each(self, value: Value) -> Value:
        """What iterating gives: the elements of a sequence, the keys of a mapping, the members of an enumeration."""
        if value.kind is Kind.REASONS:
            return Value(Kind.TEXT, texts=value.texts)
        if value.kind is Kind.CLASS and isinstance(value.node, ast.ClassDef):
            home, scope = value.home
            texts = enum_texts(self, value.node, scope, home)
            return UNKNOWN if texts is None else text(*texts)
        if value.kind is Kind.COLLECTION and isinstance(value.node, ast.Dict):
            home, scope = value.home
            return unite(self.value(key, scope, home) for key in value.node.keys if key is not None)
        return UNKNOWN if value.name == MAPPING else self.element(value)

    def element(self, value: Value) -> Value:
        """One element of a collection; a tainted whole has tainted parts."""
        if value.kind is Kind.COLLECTION and value.base is not None:
            return value.base
        return value if value.kind in {Kind.TAINTED, Kind.STRING, Kind.UNTYPED} else UNKNOWN

    def named(self, dotted: str, home: Module) -> Value:
        """What a dotted name of another module stands for."""
        known = known_object(dotted)
        if known is not None:
            return known
        found = real.find(dotted)
        if found is not None:
            told = real.value_of(found)
            return told if told is not UNKNOWN else imported(dotted)
        if is_own(dotted):
            return imported(dotted)
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self.lookup(".".join(parts[:cut]), home)
            if module is not None:
                return self._inside(module, parts[cut:], dotted)
        is_library = parts[0] in _LIBRARIES or is_obslib(parts[0])
        return (None if is_library else by_custom(parts[-1], home)) or imported(dotted)

    def lookup(self, dotted: str, seen_from: Module) -> Module | None:
        """A module of the project; noted as read."""
        if not dotted or dotted.partition(".")[0] in _LIBRARIES:
            return None
        found, looked_at = self.project.module(dotted, seen_from.path)
        self.read.update(looked_at)
        return found

    def annotation(self, node: ast.expr | None, scope: Scope, home: Module) -> Value:
        """What a value annotated so is."""
        return annotation.told(self, node, scope, home)

    @contextmanager
    def once(self, question: str) -> Iterator[bool]:
        """Whether this question is not being answered already, as it is inside a type that holds itself."""
        is_first = question not in self._asked
        self._asked.add(question)
        try:
            yield is_first
        finally:
            if is_first:
                self._asked.discard(question)

    def returned(self, function: Value) -> Value:
        """What a function of the project returns."""
        home, scope = function.home
        node = function.node
        assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        opened = home.survey.opened_by(node)
        if isinstance(node, ast.Lambda):
            return self.value(node.body, opened, home)
        told = self.annotation(node.returns, scope, home)
        if told.kind not in {Kind.UNKNOWN, Kind.STRING, Kind.FOREIGN, Kind.COLLECTION}:
            return told
        found = unite(self.value(each, opened, home) for each in opened.returns)
        if found is UNKNOWN and opened.yields:
            return Value(Kind.COLLECTION, base=unite(self.value(each, opened, home) for each in opened.yields))
        return found if found is not UNKNOWN else told

    def call_sites(self, name: str, home: Module) -> list[tuple[ast.Call, Scope]]:
        """Every call in ``home`` of something called ``name``."""
        if id(home) not in self._sites:
            by_name: dict[str, list[tuple[ast.Call, Scope]]] = {}
            for site in home.survey.sites:
                if isinstance(site.node, ast.Call):
                    called_as = site.node.func
                    last = called_as.attr if isinstance(called_as, ast.Attribute) else getattr(called_as, "id", "")
                    by_name.setdefault(last, []).append((site.node, site.scope))
            self._sites[id(home)] = by_name
        return self._sites[id(home)].get(name, [])

    def _inside(self, module: Module, names: list[str], dotted: str) -> Value:
        found = self.name(names[0], module.survey.scope, module)
        if not module.survey.scope.find(names[0]):
            submodule = self.lookup(f"{module.dotted}.{names[0]}", module)
            if submodule is not None:
                return self._inside(submodule, names[1:], dotted) if names[1:] else imported(dotted)
            if found is UNKNOWN:
                return imported(dotted) if _STAR in module.survey.scope.bindings else Value(Kind.MISSING, name=dotted)
        for name in names[1:]:
            found = member(self, found, name)
        return found

    def _starred(self, name: str, home: Module) -> Value | None:
        """What ``from … import *`` of a module of the project gives under this name; None when it gives none."""
        for binding in home.survey.scope.bindings.get(_STAR, ()):
            there = self.lookup(home.absolute(binding.name).removesuffix(f".{_STAR}"), home)
            found = UNKNOWN if there is None else self.name(name, there.survey.scope, there)
            if found is not UNKNOWN and not found.name.startswith("builtins."):
                return found
        return None

    def _item(self, base: Value, key: ast.expr, scope: Scope, home: Module) -> Value:
        if base.kind is Kind.METRICS:
            declared = self.value(key, scope, home)
            return Value(Kind.FAMILY, signal=declared.signal if declared.kind is Kind.DECLARED else None)
        if base.kind is Kind.REQUEST:
            return of_request(str(key.value) if isinstance(key, ast.Constant) else "")
        entry = _entry(base.node, key)
        if entry is not None:
            home, scope = base.home
            return self.value(entry, scope, home)
        return self.element(base)

    def _collection(self, node: ast.AST, scope: Scope, home: Module) -> Value:
        match node:
            case ast.Dict(values=values):
                parts: list[ast.expr] = list(values)
                inner = scope
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
                parts, inner = list(elts), scope
            case ast.DictComp(value=value):
                parts, inner = [value], home.survey.opened_by(node)
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                parts, inner = [elt], home.survey.opened_by(node)
            case _:
                return UNKNOWN
        literal = node if isinstance(node, (ast.Dict, ast.List, ast.Tuple, ast.Set, ast.DictComp)) else None
        found = unite(self._placed(each, inner, home) for each in parts)
        return Value(Kind.COLLECTION, base=found, node=literal, home=(home, scope))

    def _placed(self, node: ast.expr, scope: Scope, home: Module) -> Value:
        value = self.value(node, scope, home)
        return self.each(value) if isinstance(node, ast.Starred) else value


_STAR = "*"
_LIBRARIES = sys.stdlib_module_names | {
    "structlog", "prometheus_client", "opentelemetry", "starlette", "fastapi", "flask", "pytest", "requests", "httpx",
}  # fmt: skip
"""Modules that no project means to be its own; looking for them below its roots would only cost time."""


def _augments(given: ast.AST | None, name: ast.Name) -> bool:
    """Whether an assignment is ``name += …`` itself, which does not say what the name was before."""
    return isinstance(given, ast.BinOp) and given.left is name


def _entry(mapping: ast.AST | None, key: ast.expr) -> ast.expr | None:
    """What a literal dict holds under a constant key; None when that cannot be told."""
    if not isinstance(mapping, ast.Dict) or not isinstance(key, ast.Constant):
        return None
    keys = [each.value if isinstance(each, ast.Constant) else None for each in mapping.keys]
    return mapping.values[keys.index(key.value)] if keys.count(key.value) == 1 and None not in keys else None
