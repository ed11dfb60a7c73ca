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
from obslib.lint.calls import called
from obslib.lint.custom import by_custom
from obslib.lint.flow import latest
from obslib.lint.known import is_obslib, is_own, known_object
from obslib.lint.members import as_exception, enum_texts, member, of_request
from obslib.lint.module import Module, Project
from obslib.lint.narrowing import either, narrowed
from obslib.lint.scope import Binding, How, Scope
from obslib.lint.value import MAPPING, UNKNOWN, UNTYPED, Kind, Taint, Value, imported, spelt, tainted, text, thing, unite

__all__ = ["Evaluation", "is_private"]

_BUILTINS = frozenset(dir(builtins))
_MOST_PRODUCTS = 64
_DEEPEST = 64
"""So many steps lead from a name to its value in no code that people read; a chain that is longer is unknown."""
_HUNDRED = frozenset({"100"})
"""What a status code is divided by to get its class; there are five of them."""


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

    # --- expressions ----------------------------------------------------------------------------

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
                return self._joined([self.value(part, scope, home) for part in parts])
            case ast.FormattedValue(value=inner):
                return self.value(inner, scope, home)
            case ast.BinOp(left=left, op=op, right=right):
                return self._combined(self.value(left, scope, home), op, self.value(right, scope, home))
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
            return imported(f"builtins.{name}") if name in _BUILTINS else UNKNOWN
        return unite(self.bound(binding, home) for binding in found if binding.how is not How.ANNOTATED or len(found) == 1)

    def read_at(self, node: ast.Name, scope: Scope, home: Module) -> Value:
        """What a name stands for where it is read, after what was assigned last."""
        found = scope.find(node.id)
        kept = latest(found, node, scope)
        return self.name(node.id, scope, home) if len(kept) == len(found) else unite(self.bound(each, home) for each in kept)

    def bound(self, binding: Binding, home: Module) -> Value:
        """What one binding gives to its name."""
        match binding.how:
            case How.IMPORTED:
                return self.named(home.absolute(binding.name), home)
            case How.DEFINED:
                kind = Kind.CLASS if isinstance(binding.node, ast.ClassDef) else Kind.FUNCTION
                return self._defined(binding, kind, home)
            case How.CAUGHT:
                caught = self.value(binding.node, binding.scope, home)
                return as_exception(caught) if caught.kind is Kind.CLASS else thing(Kind.EXCEPTION)
            case How.PARAMETER:
                return self._parameter(binding, home)
            case How.OPAQUE:
                return UNKNOWN
        if binding.annotation is not None:
            told = self.annotation(binding.annotation, binding.scope, home)
            if told.kind not in {Kind.UNKNOWN, Kind.STRING, Kind.COLLECTION, Kind.FOREIGN}:
                return told
        if binding.how is How.ANNOTATED:
            return UNKNOWN if binding.annotation is None else self.annotation(binding.annotation, binding.scope, home)
        return self._given(binding, home)

    def _given(self, binding: Binding, home: Module) -> Value:
        if binding.how is How.ASSIGNED and binding.index and isinstance(binding.node, (ast.Tuple, ast.List)):
            return self._unpacked(binding.node, binding.index, binding.scope, home)
        value = self.value(binding.node, binding.scope, home)
        if binding.how is How.ENTERED:
            return self._entered(value)
        if binding.how is How.ELEMENT:
            if binding.index and isinstance(value.node, (ast.Tuple, ast.List)):
                return unite(self._unpacked(each, binding.index, binding.scope, home) for each in value.node.elts)
            return self.each(value) if not binding.index else self._part(self.each(value))
        return self._part(value) if binding.index else value

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

    # --- calls of the project's own functions -----------------------------------------------------

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

    def _parameter(self, binding: Binding, home: Module) -> Value:
        function = binding.scope.node
        assert isinstance(binding.node, ast.arg)
        owner = binding.scope.parent
        if owner is not None and owner.is_class and _is_self(function, binding.node):
            return Value(Kind.INSTANCE, node=owner.node, home=(home, owner.parent))
        told = self.annotation(binding.annotation, binding.scope.parent or binding.scope, home)
        if told.kind not in {Kind.UNKNOWN, Kind.STRING}:
            return told
        handed = spelt(self._handed(function, binding.node.arg, home))
        is_whole = is_private(function, binding.scope) and handed.kind not in {Kind.UNKNOWN, Kind.UNTYPED}
        if is_whole or handed.kind in {Kind.TAINTED, Kind.STRING}:
            return handed
        if binding.annotation is None and handed.kind is Kind.FAMILY:
            return thing(Kind.FAMILY)
        if binding.annotation is None:
            return by_custom(binding.node.arg, home) or (UNKNOWN if isinstance(function, ast.Lambda) else UNTYPED)
        return told

    def _handed(self, function: ast.AST, parameter: str, home: Module) -> Value:
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return UNKNOWN
        found = []
        for call, scope in self.call_sites(function.name, home):
            if self.value(call.func, scope, home).node is not function:
                continue
            given = _argument(call, function, parameter)
            if given is not None:
                found.append(self.value(given, scope, home))
        return unite(found) if found else UNKNOWN

    # --- the rest -------------------------------------------------------------------------------

    def _inside(self, module: Module, names: list[str], dotted: str) -> Value:
        found = self.name(names[0], module.survey.scope, module)
        if not module.survey.scope.find(names[0]):
            submodule = self.lookup(f"{module.dotted}.{names[0]}", module)
            if submodule is None:
                return Value(Kind.MISSING, name=dotted) if not _has_star(module) else imported(dotted)
            return self._inside(submodule, names[1:], dotted) if names[1:] else imported(dotted)
        for name in names[1:]:
            found = member(self, found, name)
        return found

    def _defined(self, binding: Binding, kind: Kind, home: Module) -> Value:
        from obslib.lint.declaring import declared_by

        node = binding.node
        if kind is Kind.FUNCTION and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            signal = declared_by(self, node, binding.scope, home)
            if signal is not None:
                return Value(Kind.DECLARED, name=signal.kind, signal=signal)
        return Value(kind, node=node, home=(home, binding.scope))

    def _entered(self, value: Value) -> Value:
        """What ``with value as name`` binds."""
        if value.kind is Kind.COLLECTION:
            return self.element(value)
        return value

    def _item(self, base: Value, key: ast.expr, scope: Scope, home: Module) -> Value:
        if base.kind is Kind.METRICS:
            declared = self.value(key, scope, home)
            return Value(Kind.FAMILY, signal=declared.signal if declared.kind is Kind.DECLARED else None)
        if base.kind is Kind.REQUEST:
            return of_request(str(key.value) if isinstance(key, ast.Constant) else "")
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

    def _unpacked(self, node: ast.AST, index: tuple[int, ...], scope: Scope, home: Module) -> Value:
        for place in index:
            if not isinstance(node, (ast.Tuple, ast.List)) or place >= len(node.elts):
                return self._part(self.value(node, scope, home))
            node = node.elts[place]
        return self.value(node, scope, home)

    def _part(self, whole: Value) -> Value:
        return self.element(whole)

    def _joined(self, parts: list[Value]) -> Value:
        worst = next((part for part in map(spelt, parts) if part.kind is Kind.TAINTED), None)
        return worst or self._product(parts) or tainted(Taint.FORMATTED)

    def _combined(self, left: Value, op: ast.operator, right: Value) -> Value:
        if left.kind is Kind.COLLECTION:
            return Value(Kind.COLLECTION, base=unite((self.each(left), self.each(right))))
        right = self.each(right) if right.kind is Kind.COLLECTION else right
        for side in (spelt(left), spelt(right)):
            if side.kind is Kind.TAINTED:
                return side
        if isinstance(op, ast.Add):
            is_text = any(side.kind in {Kind.TEXT, Kind.STRING} for side in (left, right))
            return self._product([left, right]) or (tainted(Taint.FORMATTED) if is_text else UNKNOWN)
        if isinstance(op, ast.FloorDiv) and right.texts == _HUNDRED:
            return text()
        if left.kind is Kind.TEXT and not _are_numbers(left):
            return tainted(Taint.FORMATTED) if isinstance(op, ast.Mod) else UNKNOWN
        return Value(Kind.NUMBER)

    def _product(self, parts: list[Value]) -> Value | None:
        """Bounded texts put together are bounded."""
        whole = [""]
        for part in parts:
            if part.kind is not Kind.TEXT:
                return None
            if part.texts is None:
                return text()
            whole = [start + end for start in whole for end in part.texts]
            if len(whole) > _MOST_PRODUCTS:
                return tainted(Taint.FORMATTED)
        return text(*whole)


_LIBRARIES = sys.stdlib_module_names | {
    "structlog", "prometheus_client", "opentelemetry", "starlette", "fastapi", "flask", "pytest", "requests", "httpx",
}  # fmt: skip
"""Modules that no project means to be its own; looking for them below its roots would only cost time."""


def _has_star(module: Module) -> bool:
    return "*" in module.survey.scope.bindings


def _is_self(function: ast.AST, parameter: ast.arg) -> bool:
    """Whether this is the parameter through which a method sees its object."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    listed = [*function.args.posonlyargs, *function.args.args]
    is_static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)
    return bool(listed) and listed[0] is parameter and not is_static


def is_private(function: ast.AST, scope: Scope) -> bool:
    """Whether every caller is in sight: a private function, or one inside another."""
    name = getattr(function, "name", "")
    return name.startswith("_") or (scope.parent is not None and scope.parent.function is not None)


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


def _are_numbers(value: Value) -> bool:
    return value.texts is not None and all(each.lstrip("-").replace(".", "", 1).isdigit() for each in value.texts)
