"""What an attribute of a value is: ``obs.log``, ``request.url``, ``Kind.REFUND``, ``self.calls``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from obslib.lint import real
from obslib.lint.custom import by_custom
from obslib.lint.scope import Scope
from obslib.lint.value import ANYTHING, UNKNOWN, Kind, Taint, Value, tainted, text, thing, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["NAMESPACE", "as_exception", "enum_texts", "member", "of_request"]

_OF_REQUEST_BUT_NOT_FROM_IT = frozenset({
    "app", "state", "user", "auth", "session", "route", "router", "endpoint", "url_rule", "resolver_match", "root_path",
    "type", "server", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme",
})  # fmt: skip
_ENUMS = frozenset({"Enum", "StrEnum", "IntEnum", "Flag"})
_MOST_BASES = 8
_OF_A_SIGNAL = frozenset({Kind.FAMILY, Kind.CELL, Kind.SPAN, Kind.OPERATION, Kind.PEER_METRIC})
_TELL_NO_SIGNAL = frozenset({UNKNOWN, ANYTHING, *map(thing, (Kind.FAMILY, Kind.CELL, Kind.SPAN, Kind.OPERATION))})
"""What a field's annotation says where it does not say which signal is in it."""
NAMESPACE = "types.SimpleNamespace"
_ROOMS = frozenset({"health", "loops", "traces"})
"""Parts of an Observability that bind as it does itself."""


def member(look: Evaluation, base: Value, name: str) -> Value:
    """The attribute ``name`` of ``base``; where nothing is known of it, what it is by custom."""
    found = _member(look, base, name)
    return by_custom(name, look.module) or found if found.kind in _UNTOLD and base.kind in _TELL_NOTHING else found


def _member(look: Evaluation, base: Value, name: str) -> Value:
    match base.kind:
        case Kind.IMPORTED:
            return look.named(f"{base.name}.{name}", look.module)
        case Kind.MISSING:
            return Value(Kind.MISSING, name=f"{base.name}.{name}")
        case Kind.TAINTED:
            return base
        case Kind.REQUEST:
            return base if name == "scope" else Value(Kind.METHOD, name=name, base=base) if name == "get" else of_request(name)
        case Kind.EXCEPTION:
            own = _of_instance(look, base, name) if base.node is not None else UNKNOWN
            return own if own.kind is Kind.TEXT else tainted(Taint.EXCEPTION)
        case Kind.OBSERVABILITY:
            return _of_observability(base, name)
        case Kind.INSTANCE:
            return _of_instance(look, base, name)
        case Kind.CLASS:
            return _of_class(look, base, name)
        case Kind.DECLARED:
            return text(base.signal.name) if name == "name" and base.signal else UNKNOWN
        case Kind.UNTYPED:
            return base
        case Kind.FOREIGN if base.name == NAMESPACE and base.home is not None:
            return _of_namespace(look, base, name)
        case Kind.UNKNOWN | Kind.FOREIGN | Kind.NUMBER:
            return UNKNOWN
        case Kind.TEXT if name in {"value", "name"}:
            return base
        case Kind.OPERATION if name == "reraising":
            return base
    return Value(Kind.METHOD, name=name, base=base)


_UNTOLD = frozenset({Kind.UNKNOWN, Kind.UNTYPED})
_TELL_NOTHING = frozenset({Kind.UNKNOWN, Kind.UNTYPED, Kind.FOREIGN, Kind.INSTANCE, Kind.REQUEST})


def as_exception(value: Value) -> Value:
    """An exception of a class of the project, whose attributes may be bounded although its text is not."""
    return Value(Kind.EXCEPTION, node=value.node, home=value.home)


def of_request(name: str) -> Value:
    """What stands under ``name`` in a request: what its client wrote, unless the server put it there."""
    return UNKNOWN if name in _OF_REQUEST_BUT_NOT_FROM_IT else tainted(Taint.REQUEST)


def enum_texts(look: Evaluation, node: ast.ClassDef, scope: Scope, home: Module) -> frozenset[str] | None:
    """The values of an enumeration of the project; None when the class is none."""
    if not any(_last(look.value(base, scope, home), base) in _ENUMS for base in node.bases):
        return None
    opened = home.survey.opened_by(node)
    found: set[str] = set()
    for name, bindings in opened.bindings.items():
        for binding in bindings:
            value = look.bound(binding, home) if not isinstance(binding.node, (ast.FunctionDef, ast.Call)) else None
            if isinstance(binding.node, ast.Call):
                found.add(name.lower())
            elif value is not None and value.texts:
                found |= value.texts
    return frozenset(found)


def _of_observability(base: Value, name: str) -> Value:
    if name == "log":
        return thing(Kind.LOG)
    if name == "metrics":
        return thing(Kind.METRICS)
    if name == "classifier":
        return thing(Kind.REASONS)
    if name in _ROOMS:
        return base
    return Value(Kind.METHOD, name=name, base=base)


def _of_instance(look: Evaluation, base: Value, name: str, depth: int = 0) -> Value:
    home, scope = base.home
    opened = home.survey.opened_by(base.node)
    bindings = [*opened.attributes.get(name, ()), *opened.bindings.get(name, ())]
    if bindings:
        found = unite(look.bound(binding, home) for binding in bindings)
        if found.kind is Kind.FUNCTION and _is_property(found.node):
            return look.returned(found)
        return _handed_to(look, base, name) or found if found in _TELL_NO_SIGNAL else found
    if depth < _MOST_BASES and isinstance(base.node, ast.ClassDef):
        for each in base.node.bases:
            parent = look.value(each, scope, home)
            if parent.kind is Kind.CLASS:
                found = _of_instance(look, Value(Kind.INSTANCE, node=parent.node, home=parent.home), name, depth + 1)
                if found is not UNKNOWN:
                    return found
            elif parent.kind is Kind.IMPORTED and parent.name == "http.server.BaseHTTPRequestHandler":
                return _of_handler(name)
    return UNKNOWN


def _handed_to(look: Evaluation, base: Value, name: str) -> Value | None:
    """The metric, span or operation that whoever makes the object puts into its field; None where it is none."""
    if not isinstance(base.node, ast.ClassDef):
        return None
    home, _ = base.home
    fields = [
        each.target.id for each in base.node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    found = []
    for call, scope in (*look.call_sites(base.node.name, home), *look.call_sites("cls", home)):
        named = [keyword.value for keyword in call.keywords if keyword.arg == name]
        placed = dict(zip(fields, call.args, strict=False))
        given = named[0] if named else placed.get(name)
        if given is not None and look.value(call.func, scope, home).node is base.node:
            found.append(look.value(given, scope, home))
    handed = unite(found)
    return handed if handed.kind in _OF_A_SIGNAL else None


def _of_namespace(look: Evaluation, base: Value, name: str) -> Value:
    home, scope = base.home
    given = [keyword.value for keyword in getattr(base.node, "keywords", ()) if keyword.arg == name]
    return look.value(given[0], scope, home) if given else UNKNOWN


def _of_handler(name: str) -> Value:
    return tainted(Taint.REQUEST) if name in {"path", "headers", "requestline", "client_address", "rfile"} else UNKNOWN


def _of_class(look: Evaluation, base: Value, name: str) -> Value:
    home, scope = base.home
    texts = enum_texts(look, base.node, scope, home) if isinstance(base.node, ast.ClassDef) else None
    if texts is None:
        return _of_instance(look, Value(Kind.INSTANCE, node=base.node, home=base.home), name)
    bindings = home.survey.opened_by(base.node).bindings.get(name, [])
    own = [binding for binding in bindings if not isinstance(binding.node, ast.Call)]
    if own:
        return unite(look.bound(binding, home) for binding in own)
    return text(name.lower()) if bindings else UNKNOWN


def _is_property(node: Any) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any(
        (isinstance(each, ast.Name) and each.id in {"property", "cached_property"})
        or (isinstance(each, ast.Attribute) and each.attr in {"cached_property", "setter"})
        for each in decorators
    )


def _last(value: Value, node: ast.expr) -> str:
    if value.kind is Kind.IMPORTED:
        return value.name.rpartition(".")[2]
    if value.kind is Kind.CLASS:
        return "StrEnum" if any(getattr(base, "id", "") in _ENUMS for base in getattr(value.node, "bases", ())) else ""
    found = real.find(value.name) if value.name else None
    return getattr(found, "__name__", "") if isinstance(found, type) else getattr(node, "attr", getattr(node, "id", ""))
