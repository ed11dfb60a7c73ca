"""What a call gives, and what is called: through aliases, bound methods and ``functools.partial``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obslib.lint import real
from obslib.lint.known import CALLS, PEER_METRICS, STARTS, WIRE_THROUGH, is_obslib, known_type
from obslib.lint.members import NAMESPACE, enum_texts, member, of_request
from obslib.lint.scope import Scope
from obslib.lint.value import UNKNOWN, Kind, Taint, Value, spelt, tainted, text, thing, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["Arguments", "arguments_of", "called", "taken_apart"]

_PARTIALS = frozenset({"functools.partial", "functools.partialmethod"})
_OF_OBSERVABILITY = {
    "component": Kind.OBSERVABILITY, "span": Kind.SPAN, "operation": Kind.OPERATION,
}  # fmt: skip
_TEXT_METHODS = frozenset({
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "casefold", "removeprefix", "removesuffix", "replace",
    "encode", "decode", "split", "partition", "rpartition", "rsplit", "splitlines", "swapcase", "zfill",
})  # fmt: skip
_OF_COLLECTION = frozenset(
    {"get", "pop", "setdefault", "values", "popleft", "popitem", "items", "keys", "copy", "of", "extend"}
)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call hands over: by place, by name, and the ``*`` and ``**`` that could not be taken apart.

    ``bound`` are those of them that a partial bound before.
    """

    positional: tuple[ast.expr, ...] = ()
    named: tuple[tuple[str, ast.expr], ...] = ()
    unclear: tuple[ast.expr, ...] = ()
    bound: tuple[ast.expr, ...] = ()

    def get(self, name: str, place: int | None = None) -> ast.expr | None:
        """The argument of this name, or the one at this place."""
        for given, node in self.named:
            if given == name:
                return node
        return self.positional[place] if place is not None and place < len(self.positional) else None

    def before(self, later: Arguments) -> Arguments:
        """These arguments, bound by a partial, and those of the call itself; a later name replaces an earlier one."""
        names = {name for name, _ in later.named}
        return Arguments(
            (*self.positional, *later.positional),
            (*((name, node) for name, node in self.named if name not in names), *later.named),
            (*self.unclear, *later.unclear),
            (*self.positional, *(node for _, node in self.named), *self.unclear),
        )


def called(look: Evaluation, node: ast.Call, scope: Scope, home: Module) -> Value:
    """What the call gives."""
    return _result(look, look.value(node.func, scope, home), node, scope, home)


def arguments_of(look: Evaluation, node: ast.Call, scope: Scope, home: Module) -> Arguments:
    """The call's arguments with literal ``**{...}`` and ``*(...)`` taken apart, also through a name."""
    positional: list[ast.expr] = []
    named: list[tuple[str, ast.expr]] = []
    unclear: list[ast.expr] = []
    for argument in node.args:
        if not isinstance(argument, ast.Starred):
            positional.append(argument)
            continue
        literal = look.value(argument.value, scope, home).node
        if isinstance(literal, (ast.List, ast.Tuple)):
            positional += literal.elts
        else:
            unclear.append(argument.value)
    for keyword in node.keywords:
        if keyword.arg is not None:
            named.append((keyword.arg, keyword.value))
            continue
        pairs = _pairs(look, keyword.value, scope, home)
        if pairs is None:
            unclear.append(keyword.value)
        else:
            named += pairs
    return Arguments(tuple(positional), tuple(named), tuple(unclear))


def taken_apart(look: Evaluation, node: ast.expr, scope: Scope, home: Module) -> Arguments:
    """A mapping that stands for arguments, taken apart like ``**``."""
    pairs = _pairs(look, node, scope, home)
    return Arguments(unclear=(node,)) if pairs is None else Arguments(named=tuple(pairs))


def _pairs(
    look: Evaluation, node: ast.expr, scope: Scope, home: Module, around: tuple[ast.AST, ...] = ()
) -> list[tuple[str, ast.expr]] | None:
    """The keys and values of a literal dict, or of ``dict(a=1)``; None for one that is built in a way not followed."""
    items = _items(node, scope, home)
    literal = None if items is None else _mapping(look, node, scope, home, bool(items))
    if isinstance(literal, ast.Call):
        return [*((keyword.arg, keyword.value) for keyword in literal.keywords if keyword.arg is not None), *(items or ())]
    if not isinstance(literal, ast.Dict) or literal in around:
        return None
    found: list[tuple[str, ast.expr]] = []
    for key, value in zip(literal.keys, literal.values, strict=True):
        if key is None:
            inner = _pairs(look, value, scope, home, (*around, literal))
            if inner is None:
                return None
            found += inner
        elif isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.append((key.value, value))
        else:
            return None
    return [*found, *(items or ())]


def _items(node: ast.expr, scope: Scope, home: Module) -> list[tuple[str, ast.expr]] | None:
    """What a name got under constant keys after it was made; None when more came to it, or from where it cannot be read."""
    if not isinstance(node, ast.Name):
        return []
    bindings = scope.find(node.id)
    own = [item for item in home.survey.items.get(node.id, ()) if item.scope.find(node.id) is bindings]
    if node.id in home.survey.filled or any(item.scope is not scope for item in own):
        return None
    return [(item.key, item.value) for item in own]


def _mapping(look: Evaluation, node: ast.expr, scope: Scope, home: Module, is_grown: bool) -> ast.AST | None:
    """The literal, or the call of ``dict``, that a mapping began as; None when something came to it elsewhere."""
    literal: ast.AST | None = node
    for is_followed in (not isinstance(node, (ast.Dict, ast.Call)), True):
        if is_followed and (literal is node or isinstance(literal, ast.Call)) and not isinstance(literal, ast.Dict):
            value = look.value(literal, scope, home)
            literal = value.node
            if not is_grown and value.home is not None and id(literal) in value.home[0].survey.grown:
                return None
    return literal


def _result(look: Evaluation, callee: Value, node: ast.Call, scope: Scope, home: Module) -> Value:
    match callee.kind:
        case Kind.IMPORTED:
            return _of_import(look, callee.name, node, scope, home)
        case Kind.FUNCTION:
            return look.returned(callee)
        case Kind.CLASS:
            return _of_class(look, callee)
        case Kind.PARTIAL if callee.base is not None:
            return _result(look, callee.base, node, scope, home)
        case Kind.METHOD if callee.base is not None:
            return _of_method(look, callee.base, callee.name, node, scope, home)
        case Kind.SPAN | Kind.OPERATION:
            return thing(Kind.ACTIVE_SPAN, callee.signal)
        case Kind.TAINTED | Kind.UNTYPED:
            return callee
        case Kind.INSTANCE:
            method = member(look, callee, "__call__")
            return look.returned(method) if method.kind is Kind.FUNCTION else UNKNOWN
    return UNKNOWN


def _of_import(look: Evaluation, dotted: str, node: ast.Call, scope: Scope, home: Module) -> Value:
    last = dotted.rpartition(".")[2]
    if is_obslib(dotted):
        return _of_obslib(look, dotted, last, node, scope, home)
    known = CALLS.get(dotted)
    if known is not None:
        return _of_url(look, node, scope, home) if known.taint is Taint.URL and node.args else known
    if dotted in _PARTIALS and node.args:
        return Value(Kind.PARTIAL, base=look.value(node.args[0], scope, home), node=node, home=(home, scope))
    if dotted == "typing.cast" and len(node.args) > 1:
        return _cast(look, node, scope, home)
    if dotted in WIRE_THROUGH and node.args:
        return _through(look, dotted, [look.value(each, scope, home) for each in node.args])
    if dotted in PEER_METRICS:
        return Value(Kind.PEER_METRIC, name=dotted, node=node, home=(home, scope))
    if dotted in {NAMESPACE, "prometheus_client.CollectorRegistry", "prometheus_client.registry.CollectorRegistry"}:
        return Value(Kind.FOREIGN, name=dotted, node=node, home=(home, scope))
    if dotted == "builtins.getattr" and len(node.args) > 1:
        name, owner = node.args[1], look.value(node.args[0], scope, home)
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return member(look, owner, name.value)
        return owner if owner.kind is Kind.UNTYPED else UNKNOWN
    if dotted == "builtins.type" and len(node.args) == 1 and look.value(node.args[0], scope, home).kind is Kind.EXCEPTION:
        return tainted(Taint.EXCEPTION)
    if dotted in {"builtins.dict", "builtins.enumerate", "builtins.zip"}:
        return Value(Kind.COLLECTION, base=UNKNOWN, node=node if dotted == "builtins.dict" else None, home=(home, scope))
    if dotted == "typing.get_args" and node.args:
        return Value(Kind.COLLECTION, base=look.annotation(node.args[0], scope, home), node=node, home=(home, scope))
    if dotted == "builtins.format":
        return tainted(Taint.FORMATTED)
    told = known_type(dotted)
    if told is not None and not dotted.startswith("builtins."):
        return told
    if last.endswith(("Error", "Exception")):
        return thing(Kind.EXCEPTION)
    return Value(Kind.FOREIGN, name=dotted) if last[:1].isupper() else UNKNOWN


def _cast(look: Evaluation, node: ast.Call, scope: Scope, home: Module) -> Value:
    """The type that is claimed, unless it is known where the value comes from."""
    value = look.value(node.args[1], scope, home)
    told = look.annotation(node.args[0], scope, home)
    is_known = value.kind in {Kind.TAINTED, Kind.TEXT, Kind.REQUEST, Kind.EXCEPTION}
    return value if is_known or told is UNKNOWN else told


def _of_url(look: Evaluation, node: ast.Call, scope: Scope, home: Module) -> Value:
    """A URL is as bounded as anybody can make it, unless what it is made from says more of its source."""
    given = look.value(node.args[0], scope, home)
    return given if given.kind is Kind.TAINTED else tainted(Taint.URL)


def _of_obslib(look: Evaluation, dotted: str, last: str, node: ast.Call, scope: Scope, home: Module) -> Value:
    from obslib.lint.declaring import declared_call

    if last in STARTS:
        return thing(Kind.OBSERVABILITY)
    signal = declared_call(look, last, node, scope, home)
    if signal is not None:
        return Value(Kind.DECLARED, name=signal.kind, signal=signal)
    found = real.find(dotted)
    if found is not None:
        told = real.annotation_of(found)
        if told is not None:
            return told
    return known_type(dotted) or UNKNOWN


def _through(look: Evaluation, dotted: str, given: list[Value]) -> Value:
    if dotted in {"builtins.min", "builtins.max"} and len(given) > 1:
        return unite(given)
    value = given[0]
    if dotted in {"builtins.next", "builtins.min", "builtins.max"}:
        return look.element(value)
    return spelt(value)


def _of_class(look: Evaluation, callee: Value) -> Value:
    home, scope = callee.home
    if isinstance(callee.node, ast.ClassDef):
        texts = enum_texts(look, callee.node, scope, home)
        if texts is not None:
            return text(*texts)
    return Value(Kind.INSTANCE, node=callee.node, home=callee.home)


def _of_method(look: Evaluation, base: Value, name: str, node: ast.Call, scope: Scope, home: Module) -> Value:
    match base.kind:
        case Kind.OBSERVABILITY:
            return _of_observability(look, name, node, scope, home)
        case Kind.LOG | Kind.STRUCTLOG | Kind.STDLIB_LOG if name in {"bind", "new", "unbind", "try_unbind", "getChild"}:
            return base
        case Kind.FAMILY if name in {"labels", "at"}:
            return thing(Kind.CELL, base.signal)
        case Kind.PEER_METRIC if name == "labels":
            return base
        case Kind.METER if name.startswith("create_"):
            return Value(Kind.PEER_METRIC, name="opentelemetry")
        case Kind.TRACER if name in {"start_span", "start_as_current_span"}:
            return thing(Kind.ACTIVE_SPAN)
        case Kind.SPAN | Kind.OPERATION if name in {"under", "linked", "reraising"}:
            return base
        case Kind.REASONS:
            return Value(Kind.TEXT, texts=base.texts)
        case Kind.REQUEST if name == "get":
            key = node.args[0] if node.args else None
            return of_request(str(key.value) if isinstance(key, ast.Constant) else "")
        case Kind.COLLECTION if name in _OF_COLLECTION:
            return _of_collection(look, base, name, node, scope, home)
        case Kind.TEXT | Kind.STRING:
            return _of_text(look, base, name, node, scope, home)
    return UNKNOWN


def _of_observability(look: Evaluation, name: str, node: ast.Call, scope: Scope, home: Module) -> Value:
    kind = _OF_OBSERVABILITY.get(name)
    if kind is not None:
        declared = look.value(node.args[0], scope, home) if node.args else UNKNOWN
        return thing(kind, declared.signal)
    return UNKNOWN


def _of_collection(look: Evaluation, base: Value, name: str, node: ast.Call, scope: Scope, home: Module) -> Value:
    if name == "extend":
        return base
    if name == "of" and node.args:
        return Value(Kind.COLLECTION, base=look.annotation(node.args[0], scope, home))
    if name == "values":
        return Value(Kind.COLLECTION, base=look.element(base))
    if name in {"items", "keys", "copy"}:
        return base if name == "copy" else Value(Kind.COLLECTION, base=look.each(base) if name == "keys" else UNKNOWN)
    element = look.element(base)
    return unite((element, look.value(node.args[1], scope, home))) if len(node.args) > 1 else element


def _of_text(look: Evaluation, base: Value, name: str, node: ast.Call, scope: Scope, home: Module) -> Value:
    if name in {"format", "format_map", "join"}:
        handed = (*node.args, *(keyword.value for keyword in node.keywords))
        given = [look.value(each, scope, home) for each in handed]
        given = [spelt(look.each(each) if each.kind is Kind.COLLECTION else each) for each in given]
        if base.kind is Kind.TEXT and given and all(each.kind is Kind.TEXT for each in given):
            return text()
        return next((each for each in given if each.kind is Kind.TAINTED), tainted(Taint.FORMATTED))
    if name in _TEXT_METHODS:
        return _same_text(base, name)
    return UNKNOWN


def _same_text(base: Value, name: str) -> Value:
    if base.kind is Kind.TEXT and base.texts is not None and name in {"lower", "upper", "strip"}:
        return text(*(getattr(each, name)() for each in base.texts))
    return text() if base.kind is Kind.TEXT else base
