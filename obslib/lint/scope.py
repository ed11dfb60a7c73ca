"""Names: which scope holds them, and every way in which they get a value there.

Names are bound the way Python binds them: a function's names are its own, a class's are not seen from its methods, a
comprehension has its own targets. Assignments are not ordered: a name is whatever any of them makes of it, which errs on
the side of seeing a fault.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Binding", "Comprehension", "Function", "How", "Scope"]

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class How(StrEnum):
    """How a name came to its value."""

    ASSIGNED = "assigned"
    ELEMENT = "element"
    ENTERED = "entered"
    PARAMETER = "parameter"
    IMPORTED = "imported"
    DEFINED = "defined"
    CAUGHT = "caught"
    ANNOTATED = "annotated"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Binding:
    """One way a name gets a value: from the expression or definition ``node``, element ``index`` of it where unpacked.

    An assignment ends in ``line`` and replaces what was before it up to ``until``, the last line of its block.
    """

    how: How
    node: ast.AST | None
    scope: Scope
    name: str = ""
    index: tuple[int, ...] = ()
    annotation: ast.expr | None = None
    line: int = 0
    until: int = 0


@dataclass(eq=False, slots=True)
class Scope:
    """The names of a module, class, function or comprehension."""

    node: ast.AST
    parent: Scope | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    returns: list[ast.expr] = field(default_factory=list)
    yields: list[ast.expr] = field(default_factory=list)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)
    """Of a class: what its methods assign to attributes of ``self``."""
    is_class: bool = False

    @property
    def function(self) -> Scope | None:
        """The innermost function this is in; None at the top of a module or class."""
        scope: Scope | None = self
        while scope is not None and not isinstance(scope.node, Function):
            if scope.is_class:
                return None
            scope = scope.parent
        return scope

    @property
    def inline(self) -> Scope:
        """The scope whose lines this one's expressions run in: a comprehension runs where it stands."""
        scope = self
        while isinstance(scope.node, Comprehension) and scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str, binding: Binding) -> None:
        """Note one more way that ``name`` gets a value here."""
        self.bindings.setdefault(name, []).append(binding)

    def find(self, name: str) -> list[Binding]:
        """How ``name`` is bound as seen from here; empty when it is a builtin, or nothing."""
        scope: Scope | None = self
        is_own = True
        while scope is not None:
            found = scope.bindings.get(name)
            if found and (is_own or not scope.is_class):
                return found
            is_own = is_own and not isinstance(scope.node, Function)
            scope = scope.parent
        return []
