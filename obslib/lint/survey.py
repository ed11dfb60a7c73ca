"""What a walk over a module leaves: its scopes, and the places at which telemetry can happen."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from obslib.lint.flow import Region
from obslib.lint.scope import Scope

__all__ = ["Item", "Site", "Survey"]


@dataclass(frozen=True, slots=True)
class Site:
    """One call, subscript or definition, the scope it stands in, and the loop and ``except`` around it in the same function."""

    node: ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    scope: Scope
    loop: ast.AST | None
    caught: ast.ExceptHandler | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """``labels["kind"] = value``, in ``scope``."""

    key: str
    value: ast.expr
    scope: Scope


@dataclass(slots=True)
class Survey:
    """All of a module that rules can ask for."""

    scope: Scope
    sites: list[Site] = field(default_factory=list)
    scopes: dict[int, Scope] = field(default_factory=dict)
    """The scope that a function, class or comprehension opens, by the id of its node."""
    regions: dict[str, list[Region]] = field(default_factory=dict)
    """Where an expression is less than it may be elsewhere, by how it is spelt."""
    filled: set[str] = field(default_factory=set)
    """Names of what gets items after it was made in ways not followed, ``labels[kind] = …`` or ``labels.update(…)``."""
    items: dict[str, list[Item]] = field(default_factory=dict)
    """What gets items under constant keys after it was made, by its name."""
    grown: set[int] = field(default_factory=set)
    """The expressions whose mapping gets items later, in whatever way, by the id of their node."""
    modules: set[str] = field(default_factory=set)
    """Every module named in an import statement, dotted, without relative ones."""

    def opened_by(self, node: ast.AST) -> Scope:
        """The scope of a function, class or comprehension."""
        return self.scopes[id(node)]
