"""What an annotation says of the value it annotates: a Literal is a closed set, ``Observability`` a telemetry object."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from obslib.lint import real
from obslib.lint.known import known_type
from obslib.lint.members import as_exception, enum_texts
from obslib.lint.scope import How, Scope
from obslib.lint.value import MAPPING, UNKNOWN, Kind, Value, text, thing, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["parsed", "told"]

_COLLECTIONS = frozenset({
    "list", "tuple", "set", "frozenset", "dict", "Sequence", "Iterable", "Iterator", "Collection", "Mapping", "MutableMapping",
    "Set", "AbstractSet", "Generator", "AsyncIterator", "AsyncIterable", "List", "Tuple", "Dict",
})  # fmt: skip
_THROUGH = frozenset(
    {"Optional", "Final", "ClassVar", "Awaitable", "Required", "NotRequired", "AbstractContextManager", "Annotated"}
)
_MAPPINGS = frozenset({"dict", "Mapping", "MutableMapping", "Dict"})


def told(look: Evaluation, node: ast.expr | None, scope: Scope, home: Module) -> Value:
    """What a value annotated with ``node`` is."""
    match node:
        case None:
            return UNKNOWN
        case ast.Constant(value=str() as source):
            return told(look, parsed(source), scope, home)
        case ast.Constant(value=None):
            return UNKNOWN
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _either(told(look, left, scope, home), told(look, right, scope, home))
        case ast.Subscript(value=base, slice=inner):
            return _subscripted(look, base, inner, scope, home)
        case ast.Name() | ast.Attribute():
            return _named(look, node, scope, home)
    return UNKNOWN


def _either(left: Value, right: Value) -> Value:
    found = [side for side in (left, right) if side is not UNKNOWN]
    return unite(found) if found else UNKNOWN


def _subscripted(look: Evaluation, base: ast.expr, inner: ast.expr, scope: Scope, home: Module) -> Value:
    last = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if last == "Literal":
        members = (text(str(part.value)) if isinstance(part, ast.Constant) else told(look, part, scope, home) for part in parts)
        return unite(members)
    if last == "Union":
        found = UNKNOWN
        for part in parts:
            found = _either(found, told(look, part, scope, home))
        return found
    if last in _THROUGH and parts:
        return told(look, parts[0], scope, home)
    if last in _COLLECTIONS and parts:
        element = parts[-1] if last in _MAPPINGS else parts[0]
        return Value(Kind.COLLECTION, name=MAPPING if last in _MAPPINGS else "", base=told(look, element, scope, home))
    return told(look, base, scope, home)


def _named(look: Evaluation, node: ast.Name | ast.Attribute, scope: Scope, home: Module) -> Value:
    if isinstance(node, ast.Name):
        with look.once(f"{home.path}:{node.id}") as is_first:
            alias = _alias(look, node.id, scope, home) if is_first else UNKNOWN
        if alias is not None:
            return alias
    value = look.value(node, scope, home)
    if value.kind is Kind.CLASS and isinstance(value.node, ast.ClassDef):
        of_class, defined_in = value.home
        texts = enum_texts(look, value.node, defined_in, of_class)
        if texts is not None:
            return text(*texts)
        if _is_exception(look, value):
            return as_exception(value)
        return Value(Kind.INSTANCE, node=value.node, home=value.home)
    if value.kind is Kind.IMPORTED:
        return _imported(look, value.name)
    return UNKNOWN


def _imported(look: Evaluation, dotted: str) -> Value:
    known = known_type(dotted)
    if known is not None:
        return known
    found = real.find(dotted)
    if found is not None:
        return real.annotation_of(found) or Value(Kind.FOREIGN, name=dotted)
    last = dotted.rpartition(".")[2]
    if last.endswith(("Error", "Exception", "Warning")):
        return thing(Kind.EXCEPTION)
    return Value(Kind.FOREIGN, name=dotted)


def _alias(look: Evaluation, name: str, scope: Scope, home: Module) -> Value | None:
    """An alias of a type: ``Outcome = Annotated[Literal[...], RESULT]``, here or in another module of the project."""
    bindings = scope.find(name)
    for binding in bindings:
        if binding.how is How.ASSIGNED and isinstance(binding.node, (ast.Subscript, ast.BinOp, ast.Name, ast.Attribute)):
            return told(look, binding.node, binding.scope, home)
        if binding.how is How.IMPORTED:
            dotted = home.absolute(binding.name)
            module, _, last = dotted.rpartition(".")
            other = look.lookup(module, home) if not dotted.startswith("obslib.") else None
            if other is not None and other is not home and other.survey.scope.find(last):
                return told(look, ast.Name(id=last, ctx=ast.Load()), other.survey.scope, other)
    return None


def _is_exception(look: Evaluation, value: Value, depth: int = 0) -> bool:
    home, scope = value.home
    for base in getattr(value.node, "bases", ()):
        parent = look.value(base, scope, home)
        if parent.kind is Kind.IMPORTED and parent.name.endswith(("Error", "Exception")):
            return True
        if parent.kind is Kind.CLASS and depth < 8 and _is_exception(look, parent, depth + 1):
            return True
    return False


def parsed(source: str) -> ast.expr | None:
    """The expression that a string annotation holds; None when it holds none."""
    try:
        return ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError):
        return None
