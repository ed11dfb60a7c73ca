"""obslib's own names, by import: its catalog is the one part of a program that the linter may run, being part of it."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from importlib import import_module
from types import ModuleType

from obslib.catalog import Catalog, Declaration, Field, Label, ReasonSet
from obslib.lint.known import DECLARATIONS
from obslib.lint.signal import signal_of
from obslib.lint.value import UNKNOWN, Kind, Value, text, unite

__all__ = ["annotation_of", "carried", "find", "value_of"]

_READABLE = ("obslib.catalog", "obslib.errors")
_ABSENT = object()


@lru_cache(maxsize=4_096)
def find(dotted: str) -> object | None:
    """The object that ``dotted`` names in obslib's catalog; ``Value`` of kind missing when its module has no such name.

    None when the name is not the catalog's.
    """
    if not dotted.startswith(_READABLE):
        return None
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        module = _module(".".join(parts[:cut]))
        if module is not None:
            return _follow(module, parts[cut:], dotted)
    return Value(Kind.MISSING, name=dotted)


def value_of(found: object) -> Value:
    """What the object is to a rule."""
    match found:
        case Value():
            return found
        case Declaration():
            return Value(Kind.DECLARED, name=type(found).__name__, signal=signal_of(found))
        case Catalog():
            return DECLARATIONS
        case ReasonSet():
            return Value(Kind.REASONS, texts=frozenset(found.values))
        case Enum():
            return text(str(found.value))
        case str() | bool() | int() | float():
            return text(str(found))
        case tuple() | list() | frozenset():
            return Value(Kind.COLLECTION, base=unite(value_of(each) for each in found) if found else UNKNOWN)
    return UNKNOWN


def annotation_of(found: object) -> Value | None:
    """What a value annotated with this object is; None when the object is no type."""
    origin = typing.get_origin(found)
    if origin is typing.Annotated:
        return annotation_of(typing.get_args(found)[0])
    if origin is typing.Literal:
        return text(*map(str, typing.get_args(found)))
    if isinstance(found, type) and issubclass(found, Enum):
        return text(*(str(member.value) for member in found))
    if found in (str, bytes, object):
        return Value(Kind.STRING)
    if found in (int, float):
        return Value(Kind.NUMBER)
    return None


def carried(found: object, kinds: tuple[type, ...] = (Label, Field)) -> object | None:
    """The Label or Field that an ``Annotated`` alias of the catalog carries."""
    carried: Iterable[object] = getattr(found, "__metadata__", ())
    return next((each for each in carried if isinstance(each, kinds)), None)


@lru_cache(maxsize=256)
def _module(dotted: str) -> ModuleType | None:
    try:
        return import_module(dotted)
    except ImportError:
        return None


def _follow(module: ModuleType, names: list[str], dotted: str) -> object:
    found: object = module
    for name in names:
        found = getattr(found, name, _ABSENT)
        if found is _ABSENT:
            return Value(Kind.MISSING, name=dotted)
    return found
