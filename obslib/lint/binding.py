"""What one binding gives to its name: an assignment, an import, a definition, an annotation, an element of a loop."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from obslib.lint.declaring import declared_by
from obslib.lint.members import as_exception
from obslib.lint.parameter import of_parameter
from obslib.lint.scope import Binding, How, Scope
from obslib.lint.value import UNKNOWN, Kind, Value, thing, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["given"]


def given(look: Evaluation, binding: Binding, home: Module) -> Value:
    """What one binding gives to its name."""
    match binding.how:
        case How.IMPORTED:
            return look.named(home.absolute(binding.name), home)
        case How.DEFINED:
            kind = Kind.CLASS if isinstance(binding.node, ast.ClassDef) else Kind.FUNCTION
            return _defined(look, binding, kind, home)
        case How.CAUGHT:
            caught = look.value(binding.node, binding.scope, home)
            return as_exception(caught) if caught.kind is Kind.CLASS else thing(Kind.EXCEPTION)
        case How.PARAMETER:
            return of_parameter(look, binding, home)
        case How.OPAQUE:
            return UNKNOWN
    if binding.annotation is not None:
        told = look.annotation(binding.annotation, binding.scope, home)
        if told.kind not in {Kind.UNKNOWN, Kind.STRING, Kind.COLLECTION, Kind.FOREIGN}:
            return told
    if binding.how is How.ANNOTATED:
        return UNKNOWN if binding.annotation is None else look.annotation(binding.annotation, binding.scope, home)
    return _expressed(look, binding, home)


def _expressed(look: Evaluation, binding: Binding, home: Module) -> Value:
    if binding.how is How.ASSIGNED and binding.index and isinstance(binding.node, (ast.Tuple, ast.List)):
        return _unpacked(look, binding.node, binding.index, binding.scope, home)
    value = look.value(binding.node, binding.scope, home)
    if binding.how is How.ENTERED:
        return _entered(look, value)
    if binding.how is How.ASSIGNED and binding.index and isinstance(value.node, (ast.Tuple, ast.List)):
        there, scope = value.home
        return _unpacked(look, value.node, binding.index, scope, there)
    if binding.how is How.ELEMENT:
        if binding.index and isinstance(value.node, (ast.Tuple, ast.List)):
            return unite(_unpacked(look, each, binding.index, binding.scope, home) for each in value.node.elts)
        return look.each(value) if not binding.index else look.element(look.each(value))
    return look.element(value) if binding.index else value


def _defined(look: Evaluation, binding: Binding, kind: Kind, home: Module) -> Value:
    node = binding.node
    if kind is Kind.FUNCTION and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        signal = declared_by(look, node, binding.scope, home)
        if signal is not None:
            return Value(Kind.DECLARED, name=signal.kind, signal=signal)
    return Value(kind, node=node, home=(home, binding.scope))


def _entered(look: Evaluation, value: Value) -> Value:
    """What ``with value as name`` binds."""
    if value.kind is Kind.COLLECTION:
        return look.element(value)
    return value


def _unpacked(look: Evaluation, node: ast.AST, index: tuple[int, ...], scope: Scope, home: Module) -> Value:
    for place in index:
        if not isinstance(node, (ast.Tuple, ast.List)) or place >= len(node.elts):
            return look.element(look.value(node, scope, home))
        node = node.elts[place]
    return look.value(node, scope, home)
