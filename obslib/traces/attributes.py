"""What may be attached to a span: values made small, immutable, redacted and encodable.

A room of its own because it runs at two moments. ``held`` runs when a value is attached: plain values stay as they
are, anything else is turned into text at once, so that a buffered span keeps no large or changing object alive.
``exported`` runs on kept spans only, on the export thread, and makes a value that no exporter can choke on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

__all__ = ["PLAIN_TEXT", "Exported", "Redaction", "class_name", "exported", "exported_name", "held", "held_all", "message"]

Scalar: TypeAlias = str | bool | int | float
Exported: TypeAlias = Scalar | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]

_NUMBERS = frozenset({bool, int, float})
_SCALARS = frozenset({str, bool, int, float})
PLAIN_TEXT = 4096
"""Characters up to which text waits as it is until its trace is decided."""

_EXPORTED_TEXT = 1024
_EXPORTED_ITEMS = 128
_INT64 = 1 << 63


class Redaction(Protocol):
    """The part of the redactor that spans need."""

    def value(self, value: object, key: str = "") -> object:
        """A safe, JSON-able form of ``value``."""
        ...

    def name(self, name: str) -> str:
        """A safe, short form of a name that values go by."""
        ...


def held(value: object, key: str, redactor: Redaction | None) -> object:
    """``value`` as a span may hold it until its trace is decided; may raise what a hostile object raises."""
    kind = type(value)
    if kind in _NUMBERS or (kind is str and len(value) <= PLAIN_TEXT):  # type: ignore[arg-type]  # exact str
        return value
    return exported(value, key, redactor)


def held_all(attributes: Mapping[str, object], redactor: Redaction | None) -> dict[str, object]:
    """``held`` for every value; ``None`` values are left out."""
    return {str(key): held(value, str(key), redactor) for key, value in attributes.items() if value is not None}


def exported(value: object, key: str, redactor: Redaction | None) -> Exported | None:
    """``value`` redacted and in a form OTLP can carry; ``None`` when nothing is left.

    Text is cut at 1024 characters after redaction, lists at 128 items; mixed lists and mappings become JSON text, an
    integer beyond 64 bits becomes hexadecimal text, a lone surrogate a question mark.
    """
    safe = value if redactor is None else redactor.value(value, key)
    if safe is None:
        return None
    if isinstance(safe, list | tuple):
        return _sequence(safe)
    if isinstance(safe, Mapping):
        return _json(safe)
    return _scalar(safe)


def exported_name(key: str, redactor: Redaction | None) -> str:
    """The key of an attribute, redacted, since a key may hold a secret too, and encodable."""
    safe = key if redactor is None else redactor.name(key)
    return safe if safe.isascii() else safe.encode("utf-8", "replace").decode()


def message(error: BaseException) -> str:
    """The exception's own text; an exception that cannot be printed has none."""
    try:
        return str(error)
    except Exception:
        return ""


def class_name(error: BaseException) -> str:
    """The exception's type as ``module.Name``, built-ins without their module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _scalar(value: object) -> Scalar:
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        number = int(value)
        return number if -_INT64 <= number < _INT64 else _text(hex(number))
    return _text(str.__str__(value) if isinstance(value, str) else str(value))


def _text(text: str) -> str:
    cut = text if len(text) <= _EXPORTED_TEXT else f"{text[: _EXPORTED_TEXT - 1]}…"
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def _sequence(values: Sequence[object]) -> Exported:
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and kinds <= _SCALARS:
        scalars = tuple(_scalar(value) for value in values[:_EXPORTED_ITEMS])
        if all(type(scalar) in kinds for scalar in scalars):
            return scalars  # type: ignore[return-value]  # one kind throughout, which mypy cannot follow
    return _json(list(values[:_EXPORTED_ITEMS]))


def _json(value: object) -> str:
    return _text(json.dumps(value, default=str, skipkeys=True, ensure_ascii=False, separators=(",", ":")))
