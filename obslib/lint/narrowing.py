"""What an expression is where a test has said so: one of the set it was tested against."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from obslib.lint.flow import Narrowing, Region, dotted_path, narrowed_by
from obslib.lint.scope import Scope
from obslib.lint.value import UNKNOWN, Kind, Value, unite

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["either", "narrowed"]


def narrowed(look: Evaluation, node: ast.Name | ast.Attribute, scope: Scope, home: Module) -> Value | None:
    """What the expression is where a test has narrowed it; None where none has."""
    known = home.survey.regions
    for region in known.get(dotted_path(node), ()) if known else ():
        if _holds(region, node, scope):
            found = _among(look, region.narrowing, scope, home)
            if found is None:
                return _of_unknown_set(look, node, scope, home)
            return found if region.instead is None else unite((found, look.value(region.instead, scope, home)))
    return None


def either(look: Evaluation, node: ast.IfExp, scope: Scope, home: Module) -> Value:
    """``given if given in KINDS else "other"``: each side as its test has narrowed it."""
    sides = {True: node.body, False: node.orelse}
    told = {holds: look.value(side, scope, home) for holds, side in sides.items()}
    for narrowing, holds in narrowed_by(node.test):
        if dotted_path(sides[holds]) == narrowing.path:
            told[holds] = _among(look, narrowing, scope, home) or told[holds]
    return unite(told.values())


def _holds(region: Region, node: ast.Name | ast.Attribute, scope: Scope) -> bool:
    """Whether the expression stands in the region, and its name was given nothing else there before."""
    line = getattr(node, "lineno", 0)
    if not region.first <= line <= region.last or region.scope is not scope.inline:
        return False
    name = region.narrowing.path.partition(".")[0]
    return not any(region.first <= each.line < line for each in scope.find(name))


def _among(look: Evaluation, narrowing: Narrowing, scope: Scope, home: Module) -> Value | None:
    among = look.value(narrowing.among, scope, home)
    found = among if narrowing.is_equal else look.each(among)
    return found if found.kind is Kind.TEXT else None


def _of_unknown_set(look: Evaluation, node: ast.Name | ast.Attribute, scope: Scope, home: Module) -> Value | None:
    """What was any text is nobody knows what after a test against a set that is not known."""
    if isinstance(node, ast.Name) and look.read_at(node, scope, home).kind in {Kind.STRING, Kind.NUMBER, Kind.UNTYPED}:
        return UNKNOWN
    return None
