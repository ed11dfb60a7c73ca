"""Whether a label value has a bound: the one judgement that all rules about label values share.

A value is in doubt when it is known to have none (it comes from a request, it is an id), or when its label is closed and
the value is any text or number. Under a budgeted label only what is certainly wrong is in doubt, since which values there
are is known at runtime alone. What cannot be followed is not: the type checker and the registry look at it again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from obslib.catalog.labels import FORBIDDEN
from obslib.catalog.platform.terms import FIELDS
from obslib.lint.keys import KEYED
from obslib.lint.rule import Problem, Rule
from obslib.lint.scope import How, Scope
from obslib.lint.signal import LabelShape
from obslib.lint.uses import File, LabelSet
from obslib.lint.value import ANYTHING, Kind, Taint, spelt

__all__ = ["Doubt", "LabelValueRule", "caret", "doubt"]

_ENDLESS = frozenset({
    *(name for name in FORBIDDEN if name.endswith("_id") and name != "instance_id"),
    "uid", "uuid", "guid", "ulid", "email", "user_email", "username",
})  # fmt: skip
"""Names of what is one per entity, and has no label of its own anywhere."""

_IDS = _ENDLESS | {field.name for field in FIELDS if field.id_prefix}
"""Names of ids; those of the platform may stand under their own label."""

_BARE_IDS = frozenset({"id", "pk", "uid"})
"""What an entity calls its own id: ``user.id`` is one under every label that is not for ids."""

_ENTITIES = frozenset({"hostname", "fqdn", "ip", "ip_address", "remote_addr", "client_ip"})
_FOLLOWED = frozenset({How.ASSIGNED, How.ELEMENT, How.ENTERED})
_DEEPEST = 8

_SAYS: dict[Taint, str] = {
    Taint.REQUEST: "comes from the request",
    Taint.URL: "comes from a URL",
    Taint.ID: "is an id",
    Taint.EXCEPTION: "comes from an exception",
    Taint.FORMATTED: "is put together from parts that have no bound",
    Taint.UNBOUNDED: "has no bound",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a label value may have no bound: where it comes from, and in words, ``comes from the request``."""

    taint: Taint
    says: str


def doubt(node: ast.expr, shape: LabelShape | None, file: File, scope: Scope) -> Doubt | None:
    """What speaks against ``node`` as a value of the label ``shape``; None for nothing.

    Without a shape the label is not ours, or not known, and counts as budgeted.
    """
    value = spelt(file.value(node, scope))
    if value.kind in {Kind.TEXT, Kind.MISSING}:
        return None
    if value.taint is not None:
        return Doubt(value.taint, _SAYS[value.taint])
    named = _by_name(node, shape)
    if named is not None:
        return named
    if shape is None or shape.is_open:
        return None
    if value.kind is Kind.STRING and value is not ANYTHING:
        return Doubt(Taint.UNBOUNDED, "can be any text")
    if value.kind is Kind.UNTYPED:
        return Doubt(Taint.UNBOUNDED, "comes from a parameter without a type, so it can be anything")
    if value.kind is Kind.NUMBER and not _is_figures(shape):
        return Doubt(Taint.UNBOUNDED, "can be any number")
    return None


class LabelValueRule(Rule[LabelSet]):
    """What the rules about label values have in common: a value whose doubt is of a rule's ``taints`` is a problem."""

    on = LabelSet
    taints: ClassVar[frozenset[Taint]]
    way_out: ClassVar[str]

    def check(self, use: LabelSet, file: File) -> Iterator[Problem]:
        """Look at every value that makes a series, under a label that the metric has."""
        if use.through in {"remove", "forget"}:
            return
        labels = use.family.signal.labels if use.family.signal is not None else {}
        named: tuple[tuple[str, ast.expr], ...] = use.arguments.named
        if use.family.kind is Kind.PEER_METRIC:
            named += tuple(("", node) for node in use.arguments.positional)
        for name, node in named:
            if use.family.signal is not None and name not in labels:
                continue
            found = doubt(node, labels.get(name), file, use.scope)
            if found is not None and found.taint in self.taints:
                yield Problem(
                    caret(node, use), f"{_label(name)} gets {told(node, use, file)}, which {found.says}; {self.way_out}"
                )


def caret(node: ast.expr, use: LabelSet) -> ast.expr:
    """Where a value is handed over: itself, or the ``**labels`` that brings it from elsewhere, maybe from another file."""
    call = use.node
    if not isinstance(call, ast.Call) or use.through in KEYED:
        return node
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if any(each is node or (isinstance(each, ast.Dict) and node in each.values) for each in given):
        return node
    spread = [each for each in call.args if isinstance(each, ast.Starred)]
    return next((keyword.value for keyword in call.keywords if keyword.arg is None), spread[0] if spread else node)


def told(node: ast.expr, use: LabelSet, file: File) -> str:
    """The value as it is spelt and, where that is a name, what made it what it is and on which line."""
    if caret(node, use) is not node:
        return repr(ast.unparse(node))
    shown, origin = file.source(node), _origin(node, file, use.scope)
    return repr(shown) if origin is node else f"{shown!r} ({file.source(origin)!r} of line {getattr(origin, 'lineno', 0)})"


def _label(name: str) -> str:
    return f"label {name!r}" if name else "a label"


def _origin(node: ast.expr, file: File, scope: Scope, depth: int = 0) -> ast.expr:
    """Behind a name: the expression of this file that its doubtful value comes from."""
    if not isinstance(node, ast.Name) or depth > _DEEPEST:
        return node
    for binding in scope.find(node.id):
        given = binding.node if binding.how in _FOLLOWED else None
        if isinstance(given, ast.expr) and spelt(file.value(given, binding.scope)).taint is not None:
            return _origin(given, file, binding.scope, depth + 1)
    return node


def _by_name(node: ast.expr, shape: LabelShape | None) -> Doubt | None:
    """What the last name of an expression says: ``want.instance_id`` is an id under every label but its own."""
    name = _last_name(node)
    if (
        name in _BARE_IDS
        and isinstance(node, (ast.Attribute, ast.Subscript, ast.Call))
        and not (shape is not None and shape.is_id)
    ):
        return Doubt(Taint.ID, _SAYS[Taint.ID])
    if name in _ENTITIES:
        return Doubt(Taint.UNBOUNDED, f"is one {name} of many")
    if shape is None:
        return Doubt(Taint.ID, _SAYS[Taint.ID]) if name in _ENDLESS else None
    is_id = name in _IDS or (name.endswith("_id") and not shape.is_open)
    if not is_id or _is_own(name, shape):
        return None
    if shape.is_id:
        return Doubt(Taint.ID, f"is another id than {shape.name!r}")
    return Doubt(Taint.ID, _SAYS[Taint.ID])


def _is_own(name: str, shape: LabelShape) -> bool:
    return shape.name == name or (shape.is_open and f"{shape.name}_id" == name)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str() as name), *_]):
            return name
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _last_name(inner)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as name), *_]):
            return name
        case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper" | "strip" | "hex")):
            return _last_name(inner)
    return ""


def _is_figures(shape: LabelShape) -> bool:
    """Whether the set holds numbers, the places of a top list say."""
    return shape.values is not None and any(each.isdigit() for each in shape.values)
