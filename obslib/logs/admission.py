"""Which fields a line may carry, and in what form (LOG-05 to LOG-07).

Names are judged once per combination: most call sites pass the same keywords forever, so the answer is kept.
Values that need more than a glance are admitted one by one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from obslib.catalog import Field
from obslib.guard import Guard
from obslib.ids import is_id
from obslib.redaction import Redactor

__all__ = ["MANDATORY", "Admission", "Shape"]

MANDATORY = ("timestamp", "level", "component", "msg", "request_id", "trace_id")
_RESERVED = frozenset({*MANDATORY, "span_id", "event", "exception", "exc_info"})
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")
_MOST_SHAPES = 1_024
_SHORT = 1_024
_NUMBERS = frozenset({int, float, bool, type(None)})
_LARGEST_INT = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A combination of field names whose values need only a glance; ``ids`` are those with a prefix to check."""

    names: frozenset[str]
    ids: tuple[tuple[str, str, str], ...]
    others: tuple[str, ...]


class Admission:
    """Decides about names and values of fields in one pipeline."""

    def __init__(self, *, fields: Mapping[str, Field], constant: Collection[str], redactor: Redactor, guard: Guard) -> None:
        self._prefixes = {field.name: field.id_prefix for field in fields.values() if field.id_prefix}
        self._tenant = frozenset(field.name for field in fields.values() if field.is_tenant)
        self._reserved = _RESERVED.union(constant)
        self._redactor = redactor
        self._guard = guard
        self._shapes: dict[tuple[str, ...], Shape | None] = {}

    def shape(self, names: tuple[str, ...]) -> Shape | None:
        """The shape of this combination, or None when its fields must be admitted one by one."""
        try:
            return self._shapes[names]
        except KeyError:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[names] = self._judge(names)
            return shape

    def admit(self, given: Mapping[str, object], *, with_tenant: bool = False) -> dict[str, object]:
        """``given`` as JSON values under names that clash with nothing; never raises.

        A mandatory or constant name becomes ``field_<name>``. A name that holds a secret is redacted like a value. An
        id of the wrong form becomes ``_invalid`` and is counted. A tenant field (``org_id``) is dropped unless it was
        bound by ``with_tenant()``.
        """
        admitted: dict[str, object] = {}
        rest: dict[str, object] = {}
        for name, value in given.items():
            if name in self._tenant and not with_tenant:
                self._guard.note("undeclared_field", f"{name} is bound by with_tenant() alone")
                continue
            if name in self._reserved:
                name = _free_name(f"field_{name}", given)
            prefix = self._prefixes.get(name)
            if prefix is not None:
                admitted[name] = self._id(name, value, prefix)
            elif not self._is_shown_as_it_is(name):
                rest[name] = value
            elif type(value) is str and len(value) <= _SHORT:
                admitted[name] = self._redactor.text(value)
            elif type(value) in _NUMBERS and not _is_large(value):
                admitted[name] = value
            else:
                rest[name] = value
        if rest:
            safe = self._redactor.value(rest)
            if isinstance(safe, dict):
                admitted.update(safe)
        return admitted

    def forget(self) -> None:
        """Judge every name anew, because what counts as a secret has changed."""
        self._shapes.clear()

    def _id(self, name: str, value: object, prefix: str) -> object:
        if value is None or (type(value) is str and is_id(value, prefix)):
            return value
        self._guard.note("invalid_id", f"{name} is not {prefix}_<ULID>")
        return "_invalid"

    def _judge(self, names: tuple[str, ...]) -> Shape | None:
        if not all(map(self._is_plain, names)):
            return None
        ids = tuple((name, self._prefixes[name], f',"{name}":"') for name in names if name in self._prefixes)
        others = tuple(name for name in names if name not in self._prefixes)
        return Shape(names=frozenset(names), ids=ids, others=others)

    def _is_plain(self, name: str) -> bool:
        return name not in self._reserved and name not in self._tenant and self._is_shown_as_it_is(name)

    def _is_shown_as_it_is(self, name: str) -> bool:
        """Whether the name is plain, holds no secret, and announces none."""
        if not _PLAIN_NAME.match(name) or self._redactor.is_secret_name(name):
            return False
        return self._redactor.name(name) == name


def _free_name(name: str, taken: Iterable[str]) -> str:
    names = set(taken)
    while name in names:
        name = f"field_{name}"
    return name


def _is_large(value: object) -> bool:
    return type(value) is int and not -_LARGEST_INT <= value < _LARGEST_INT
