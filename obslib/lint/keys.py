"""Label values that go in as keys: ``gauge.replace({"in_use": 3})``, ``gauge.callback(lambda: {…})``, ``family.at((a, b))``.

A room of its own, because these values stand by position, inside a mapping that a function may return.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obslib.lint.calls import Arguments
from obslib.lint.scope import Scope
from obslib.lint.survey import Site
from obslib.lint.value import Kind

if TYPE_CHECKING:
    from obslib.lint.evaluation import Evaluation
    from obslib.lint.module import Module

__all__ = ["KEYED", "Keyed", "keys_of"]

KEYED = frozenset({"replace", "callback", "mirror", "at", "forget"})
"""Methods of a family that take label values by position."""

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Keyed:
    """The label values of one key; a key of the wrong width leaves them without a name."""

    site: Site
    arguments: Arguments
    is_partial: bool = False


def keys_of(
    look: Evaluation, method: str, given: tuple[ast.expr, ...], site: Site, home: Module, labels: tuple[str, ...]
) -> Iterator[Keyed]:
    """The keys that ``method`` is given, as far as they are written in this file; ``labels`` are those of the family."""
    if method == "forget":
        if len(given) > 1 and isinstance(given[0], ast.Constant):
            yield Keyed(site, Arguments(named=((str(given[0].value), given[1]),)), is_partial=True)
        return
    found = [(given[0], site.scope)] if method == "at" else _keys(look, given[0], site.scope, home)
    for key, scope in found:
        yield Keyed(Site(site.node, scope, site.loop), _by_name(key, labels))


def _by_name(key: ast.expr, labels: tuple[str, ...]) -> Arguments:
    parts = tuple(key.elts) if isinstance(key, ast.Tuple) else (key,)
    if any(isinstance(part, ast.Starred) for part in parts):
        return Arguments(unclear=parts)
    if len(parts) == len(labels):
        return Arguments(named=tuple(zip(labels, parts, strict=True)))
    is_written_out = isinstance(key, (ast.Tuple, ast.Constant, ast.JoinedStr))
    return Arguments(positional=parts) if is_written_out else Arguments(unclear=parts)


def _keys(look: Evaluation, node: ast.expr, scope: Scope, home: Module, depth: int = 0) -> Iterator[tuple[ast.expr, Scope]]:
    if depth > _DEEPEST:
        return
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if key is None:
                    yield from _keys(look, value, scope, home, depth + 1)
                else:
                    yield key, scope
        case ast.DictComp(key=key):
            yield key, home.survey.opened_by(node)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _keys(look, body, scope, home, depth + 1)
            yield from _keys(look, orelse, scope, home, depth + 1)
        case ast.Lambda(body=body):
            yield from _keys(look, body, home.survey.opened_by(node), home, depth + 1)
        case ast.Name() | ast.Attribute() | ast.Call():
            yield from _behind(look, node, scope, home, depth)


def _behind(look: Evaluation, node: ast.expr, scope: Scope, home: Module, depth: int) -> Iterator[tuple[ast.expr, Scope]]:
    """The keys behind a name: of the mapping it stands for, or of what the function it stands for returns."""
    value = look.value(node, scope, home)
    if value.home is None or value.home[0] is not home:
        return
    if value.kind is Kind.COLLECTION and isinstance(value.node, (ast.Dict, ast.DictComp)):
        yield from _keys(look, value.node, value.home[1], home, depth + 1)
    elif value.kind is Kind.FUNCTION and isinstance(value.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        opened = home.survey.opened_by(value.node)
        for each in opened.returns:
            yield from _keys(look, each, opened, home, depth + 1)
