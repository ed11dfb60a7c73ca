"""Declarations read from the source that writes them, so that nothing of the project has to be imported.

``@counter("invoices_total", …) def INVOICES(*, kind: Annotated[Literal[…], KIND])`` says all a rule needs: the name, the
labels, which values are closed. What a declaration takes from elsewhere is followed; what cannot be makes it not whole.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from obslib.catalog import Domain, Field, Label
from obslib.lint import annotation, real
from obslib.lint.known import is_obslib
from obslib.lint.scope import How, Scope
from obslib.lint.signal import LabelShape, Signal
from obslib.lint.value import Kind, Value

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["DECORATORS", "declared_by", "declared_call", "decorator_of", "label_name"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

DECORATORS = {
    "counter": "Counter", "gauge": "Gauge", "histogram": "Histogram", "instance_gauge": "InstanceMetric",
    "log_event": "LogEvent", "span_kind": "SpanKind",
}  # fmt: skip
"""obslib's declaring decorators, and the kind each declares."""

_CALLS = frozenset({
    "Check", "Loop", "Operation", "Cursor", "ExternalMetric", "Counter", "Gauge", "Histogram", "InstanceMetric", "LogEvent",
    "SpanKind",
})  # fmt: skip


def declared_by(look: Evaluation, node: Function, scope: Scope, home: Module) -> Signal | None:
    """The signal that a decorated function declares; None when no decorator is one of obslib's."""
    decorator = decorator_of(look, node, scope, home)
    if decorator is None:
        return None
    kind, call = decorator
    name = _text(look, _argument(call, "name", 0), scope, home)
    parameters = node.args.kwonlyargs
    if kind in {"LogEvent", "SpanKind"}:
        required = (each.arg for each, default in zip(parameters, node.args.kw_defaults, strict=True) if default is None)
        fields = frozenset(parameter.arg for parameter in parameters)
        return Signal(kind=kind, name=name, fields=fields, required=frozenset(required))
    labels = {each.arg: _shape(look, each, scope, home) for each in parameters}
    return Signal(kind=kind, name=name, labels=labels)


def declared_call(look: Evaluation, last: str, node: ast.Call, scope: Scope, home: Module) -> Signal | None:
    """The signal that a call such as ``Check(name=…)`` declares; None when it declares none."""
    if last not in _CALLS:
        return None
    fields = required = frozenset[str]()
    is_whole = last in {"Check", "Loop", "Cursor"}
    if last == "Operation":
        span = look.value(_argument(node, "span", None), scope, home)
        is_whole = span.signal is not None
        if span.signal is not None:
            fields, required = span.signal.fields, span.signal.required
    deadline = _argument(node, "deadline_s", None)
    has_deadline = deadline is not None and not (isinstance(deadline, ast.Constant) and deadline.value is None)
    return Signal(
        kind=last, name=_text(look, _argument(node, "name", None), scope, home), fields=fields, required=required,
        has_deadline=has_deadline, is_whole=is_whole,
    )  # fmt: skip


def decorator_of(look: Evaluation, node: Function, scope: Scope, home: Module) -> tuple[str, ast.Call] | None:
    """The declaring decorator of a function, and the kind it declares."""
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call):
            continue
        callee = look.value(decorator.func, scope, home)
        bound = callee.node if callee.kind is Kind.PARTIAL else None
        callee = callee.base if callee.kind is Kind.PARTIAL and callee.base is not None else callee
        if callee.kind is Kind.IMPORTED and is_obslib(callee.name):
            kind = DECORATORS.get(callee.name.rpartition(".")[2])
            if kind is not None:
                return kind, _merged(bound, decorator)
    return None


def label_name(look: Evaluation, node: ast.Call, scope: Scope, home: Module) -> ast.expr | None:
    """The name argument of ``Label(...)``, ``Label.closed(...)`` or ``Label.budgeted(...)``; None for any other call."""
    callee = look.value(node.func, scope, home)
    callee = callee.base if callee.kind is Kind.PARTIAL and callee.base is not None else callee
    if callee.kind is not Kind.IMPORTED or not is_obslib(callee.name):
        return None
    if callee.name.endswith((".Label", ".Label.closed", ".Label.budgeted")):
        return _argument(node, "name", 0)
    return None


def _shape(look: Evaluation, parameter: ast.arg, scope: Scope, home: Module) -> LabelShape:
    closed = look.annotation(parameter.annotation, scope, home)
    values = closed.texts if closed.kind is Kind.TEXT else None
    name = parameter.arg
    label = _label(look, parameter.annotation, scope, home)
    if isinstance(label, Label):
        is_open = label.domain is Domain.BUDGETED
        return LabelShape(
            name=name, values=None if is_open else values or (frozenset(label.values) or None), is_open=is_open,
            is_id=bool(label.id_prefix), is_per_instance=label.is_per_instance,
        )  # fmt: skip
    if isinstance(label, ast.Call):
        return _written(look, label, name, values, scope, home)
    return LabelShape(name=name, values=values, is_open=values is None)


def _written(
    look: Evaluation, call: ast.Call, name: str, values: frozenset[str] | None, scope: Scope, home: Module
) -> LabelShape:
    """The shape of a label declared in this project."""
    callee = look.value(call.func, scope, home)
    domain = _argument(call, "domain", None)
    is_open = callee.name.endswith(".budgeted") or (isinstance(domain, ast.Attribute) and domain.attr == "BUDGETED")
    if values is None and callee.name.endswith(".closed"):
        listed = [argument.value for argument in call.args[1:] if isinstance(argument, ast.Constant)]
        values = frozenset(map(str, listed)) or None
    per_instance = _argument(call, "is_per_instance", None)
    return LabelShape(
        name=name, values=None if is_open else values, is_open=is_open,
        is_id=_argument(call, "id_prefix", None) is not None,
        is_per_instance=isinstance(per_instance, ast.Constant) and bool(per_instance.value),
    )  # fmt: skip


def _label(look: Evaluation, node: ast.expr | None, scope: Scope, home: Module, depth: int = 0) -> object | None:
    """The Label behind an annotation: an object of obslib's catalog, or the call that declares it in this project."""
    if node is None or depth > 8:
        return None
    if isinstance(node, ast.Subscript):
        last = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if last != "Annotated" or not isinstance(node.slice, ast.Tuple):
            return None
        found = (_label(look, each, scope, home, depth + 1) for each in (*node.slice.elts[1:], node.slice.elts[0]))
        return next((each for each in found if each is not None), None)
    if isinstance(node, ast.Call):
        return node if label_name(look, node, scope, home) is not None else None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _label(look, annotation.parsed(node.value), scope, home, depth + 1)
    return _named_label(look, node, scope, home, depth)


def _named_label(look: Evaluation, node: ast.expr, scope: Scope, home: Module, depth: int) -> object | None:
    dotted = _dotted(look, node, scope, home)
    if dotted:
        found = real.find(dotted)
        if found is not None:
            return found if isinstance(found, (Label, Field)) else real.carried(found)
        module, _, last = dotted.rpartition(".")
        other = look.lookup(module, home)
        if other is not None and other is not home:
            return _label(look, ast.Name(id=last, ctx=ast.Load()), other.survey.scope, other, depth + 1)
        return None
    if isinstance(node, ast.Name):
        for binding in scope.find(node.id):
            if binding.how is How.ASSIGNED and isinstance(binding.node, ast.expr):
                return _label(look, binding.node, binding.scope, home, depth + 1)
    return None


def _dotted(look: Evaluation, node: ast.expr, scope: Scope, home: Module) -> str:
    """The full name of an imported name or attribute of an imported module; empty when it is none."""
    if isinstance(node, ast.Attribute):
        base = _dotted(look, node.value, scope, home)
        return f"{base}.{node.attr}" if base else ""
    if isinstance(node, ast.Name):
        for binding in scope.find(node.id):
            if binding.how is How.IMPORTED:
                return home.absolute(binding.name)
    return ""


def _argument(call: ast.Call, name: str, place: int | None) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if place is not None and place < len(call.args) else None


def _text(look: Evaluation, node: ast.expr | None, scope: Scope, home: Module) -> str:
    value = look.value(node, scope, home)
    return next(iter(value.texts)) if value.kind is Kind.TEXT and value.texts is not None and len(value.texts) == 1 else ""


def _merged(bound: ast.AST | None, call: ast.Call) -> ast.Call:
    if not isinstance(bound, ast.Call):
        return call
    merged = ast.Call(func=call.func, args=[*bound.args[1:], *call.args], keywords=[*call.keywords, *bound.keywords])
    return ast.copy_location(merged, call)


def is_declaration(value: Value, *kinds: str) -> bool:
    """Whether the value is a declaration of one of these kinds, as far as is known."""
    return value.kind in {Kind.DECLARED, Kind.DECLARATION} and (value.name in kinds or value.name in {"Declaration", "Family"})
