"""What every declaration has in common, and how a decorated signature becomes one.

A declaration is written as a function without a body: its keyword-only parameters are the
labels, attributes or fields, its docstring is the help text. ``ParamSpec`` carries the
signature into the handle, so that a misspelt label or a wrong closed value is a type error
at the place of use.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from obslib.errors import CatalogError

__all__ = ["Declaration", "Deprecated", "Plane", "Stability", "parameters", "require_plane", "sentence"]


class Plane(StrEnum):
    """The signal class a declaration belongs to; the classes fail differently (SIG-05)."""

    CONTROL_PLANE = "control_plane"
    DATA_PLANE = "data_plane"
    EDGE = "edge"
    TENANT = "tenant"
    COMMON = "common"


class Stability(StrEnum):
    """What may change about a signal without notice."""

    STABLE = "stable"
    EXPERIMENTAL = "experimental"


@dataclass(frozen=True, slots=True)
class Deprecated:
    """The signal still works, but ``replaced_by`` is the one to use."""

    replaced_by: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Declaration:
    """One signal, inert: it holds facts and does nothing until an Observability binds it.

    ``components`` empty means every component of the catalog. ``serves`` names the requirement rows
    the signal answers; a declaration that serves none is refused when the catalog is built.
    """

    _NAME: ClassVar[re.Pattern[str]] = re.compile(r"[a-z][a-z0-9_.-]*\Z")
    _SPELLING: ClassVar[str] = "lower case, starting with a letter"

    name: str
    help: str
    plane: Plane
    serves: tuple[str, ...]
    components: tuple[str, ...] = ()
    stability: Stability | Deprecated = Stability.STABLE

    def __post_init__(self) -> None:
        if not self._NAME.match(self.name):
            raise CatalogError(f"{type(self).__name__} name {self.name!r} must be {self._SPELLING}")
        if not self.help:
            raise CatalogError(f"{type(self).__name__} {self.name!r} has no help text; write it as the docstring")
        require_plane(self.plane, f"{type(self).__name__} {self.name!r}")
        if not isinstance(self.stability, (Stability, Deprecated)):
            raise CatalogError(
                f"{type(self).__name__} {self.name!r} has stability={self.stability!r}; "
                "use Stability.STABLE, Stability.EXPERIMENTAL or Deprecated(replaced_by=...)"
            )
        for argument in ("serves", "components"):
            given = getattr(self, argument)
            if isinstance(given, str):
                raise CatalogError(
                    f"{type(self).__name__} {self.name!r} has {argument}={given!r}, which is one text and not a tuple; "
                    f"write {argument}=({given!r},)"
                )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def is_declared_for(self, component: str) -> bool:
        """Whether ``component`` may use this signal."""
        return not self.components or component in self.components


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One keyword of a declared signature: its plain type, its literal values and what annotates it."""

    name: str
    type: Any
    literals: tuple[str, ...]
    annotations: tuple[object, ...]
    is_optional: bool


def parameters(function: Callable[..., None]) -> tuple[Parameter, ...]:
    """Read a declaration's signature; raises CatalogError when it is not keyword-only."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise CatalogError(
            f"declaration {function.__name__} names a type its module does not have ({error}); declare signals at module level"
        ) from None
    return tuple(_parameter(function, p, hints.get(p.name, str)) for p in inspect.signature(function).parameters.values())


def require_plane(plane: object, owner: str) -> None:
    """Raise CatalogError, naming ``owner``, unless ``plane`` is a Plane."""
    if not isinstance(plane, Plane):
        raise CatalogError(f"{owner} has plane={plane!r}; use one of {', '.join(f'Plane.{each.name}' for each in Plane)}")


def sentence(function: Callable[..., None]) -> str:
    """The declaration's help: its docstring on one line."""
    return " ".join((function.__doc__ or "").split())


def _parameter(function: Callable[..., None], parameter: inspect.Parameter, hint: Any) -> Parameter:
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
        raise CatalogError(f"declaration {function.__name__}: {parameter.name!r} must be keyword-only (put * before it)")
    annotations: tuple[object, ...] = ()
    while typing.get_origin(hint) is typing.Annotated:
        hint, *found = typing.get_args(hint)
        annotations += tuple(found)
    if typing.get_origin(hint) is typing.Literal:
        members = typing.get_args(hint)
    else:
        members = tuple(hint) if isinstance(hint, type) and issubclass(hint, StrEnum) else ()
    return Parameter(
        name=parameter.name,
        type=hint,
        literals=tuple(str(member) for member in members),
        annotations=annotations,
        is_optional=parameter.default is not inspect.Parameter.empty,
    )
