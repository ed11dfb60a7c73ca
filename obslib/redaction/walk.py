"""From any object to plain JSON values, whatever the object does.

A logged value may be cyclic, endless, half built or hostile. The walk reads each one defensively, within a
budget of nodes, depth and characters, and hands every text and key it meets to the redactor.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import islice
from typing import Any

from obslib.redaction.marks import KINDS, marker
from obslib.redaction.names import is_plural_name, is_secret_name
from obslib.redaction.secret import TYPED_MARKER, Secret

__all__ = ["CUT", "Walk", "bounded", "describe"]

CUT = "…"
"""Stands for what did not fit."""

_WRITTEN_AS_TEXT = frozenset({"uuid", "decimal", "fractions", "pathlib", "ipaddress"})
_LARGEST_INT = 2**63
_DEEPEST = 8
_MOST_NODES = 2_000
_MOST_CHARACTERS = 65_536
_LONGEST_TEXT = 16_384
_LONGEST_INPUT = 65_536
_LONGEST_KEY_READ = 1_024

_MARKERS = frozenset(marker(kind) for kind in KINDS)

Text = Callable[[str], str]
Hit = Callable[[str], str]


class Walk:
    """One pass over one value; ``text`` cleans a string, ``name`` a key, ``hit`` counts a redaction and gives its marker."""

    __slots__ = ("_characters", "_hit", "_name", "_nodes", "_text")

    def __init__(self, text: Text, name: Text, hit: Hit) -> None:
        self._text = text
        self._name = name
        self._hit = hit
        self._nodes = _MOST_NODES
        self._characters = _MOST_CHARACTERS

    def value(self, value: object, key: str = "", depth: int = 0) -> object:
        """``value`` as None, bool, int, float, str, list or dict."""
        self._nodes -= 1
        if value is None or value is True or value is False:
            return value
        try:
            if isinstance(value, Secret):
                self._hit("typed")
                return TYPED_MARKER
            if key and is_secret_name(key) and not _is_count(value, key):
                return self._concealed(value)
            return self._plain(value, depth)
        except Exception as error:
            return f"<unreadable {type(value).__name__}: {type(error).__name__}>"

    def _concealed(self, value: object) -> object:
        if isinstance(value, (str, bytes)) and not value:
            return ""
        if isinstance(value, str) and value in _MARKERS:
            return value
        return self._hit("key")

    def _plain(self, value: object, depth: int) -> object:
        if isinstance(value, enum.Enum):
            return self._plain(value.value, depth)
        if isinstance(value, str):
            return self._string(str.__str__(value))
        if isinstance(value, int):
            return _integer(int.__add__(value, 0))
        if isinstance(value, float):
            number = float.__add__(value, 0.0)
            return number if math.isfinite(number) else None
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._octets(bytes(value[:_LONGEST_INPUT]))
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return value.isoformat()
        return self._nested(value, depth)

    def _nested(self, value: object, depth: int) -> object:
        is_named = _is_named(value)
        if not is_named and not _is_listed(value):
            return self._string(describe(value))
        if depth >= _DEEPEST or self._nodes <= 0:
            return CUT
        if is_named:
            return self._mapping(islice(_pairs_of(value, self._nodes + 1), self._nodes + 1), depth)
        return self._sequence(value, depth)

    def _sequence(self, value: object, depth: int) -> list[object]:
        given = _snapshot(value, self._nodes)
        is_ordered = isinstance(value, Sequence)
        items: list[object] = []
        for place, item in enumerate(given):
            if self._nodes <= 0 or self._characters <= 0:
                items.append(CUT)
                break
            name = _name_before(given, place) if is_ordered and place else ""
            items.append(self.value(item, name, depth + 1))
        return items

    def _mapping(self, pairs: Iterable[tuple[object, object]], depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, item in pairs:
            if self._nodes <= 0 or self._characters <= 0:
                found[CUT] = CUT
                break
            raw = _key(key)
            name = self._name(raw)
            while name in found:
                name += "'"
            self._characters -= len(name)
            found[name] = self.value(item, raw, depth + 1)
        return found

    def _string(self, text: str) -> str:
        room = min(_LONGEST_TEXT, max(self._characters, 0))
        clean = bounded(self._text(text), room)
        self._characters -= len(clean)
        return clean

    def _octets(self, octets: bytes) -> str:
        try:
            return self._string(octets.decode())
        except UnicodeDecodeError:
            return f"<{len(octets)} bytes>"


def bounded(text: str, longest: int) -> str:
    """``text``, cut to ``longest`` characters with a mark when it is longer."""
    return text if len(text) <= longest else text[: max(longest - 1, 0)] + CUT


def describe(value: object) -> str:
    """``repr(value)`` (``str`` for errors, paths, UUIDs and addresses), or what can be said when that fails."""
    try:
        reads_better = isinstance(value, BaseException) or type(value).__module__.partition(".")[0] in _WRITTEN_AS_TEXT
        text = str(value) if reads_better else repr(value)
        return str.__str__(text) if isinstance(text, str) else f"<unreadable {type(value).__name__}>"
    except Exception as error:
        return f"<unreadable {type(value).__name__}: {type(error).__name__}>"


def _is_count(value: object, key: str) -> bool:
    return isinstance(value, (int, float)) and is_plural_name(key)


def _integer(number: int) -> object:
    if -_LARGEST_INT <= number < 2 * _LARGEST_INT:
        return number
    return str(number) if number.bit_length() <= 1_024 else f"<integer of {number.bit_length()} bits>"


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bytes):
        return key[:_LONGEST_KEY_READ].decode("utf-8", "replace")
    return "null" if key is None else describe(key)


def _is_named(value: object) -> bool:
    """Whether ``value`` is a mapping, dataclass, named tuple, pydantic model or attrs object; reads none of its parts."""
    if isinstance(value, Mapping):
        return True
    if isinstance(value, type):
        return False
    if dataclasses.is_dataclass(value):
        return True
    if isinstance(value, tuple):
        return isinstance(getattr(value, "_fields", None), tuple)
    kind = type(value)
    is_model = hasattr(kind, "model_fields") or hasattr(kind, "__attrs_attrs__")
    return is_model and isinstance(getattr(value, "__dict__", None), dict)


def _pairs_of(value: Any, most: int) -> Iterable[tuple[object, object]]:
    """The parts of a value that ``_is_named``.

    A dict is copied first, since another thread may change it; any other mapping is read as far as it is needed.
    """
    if isinstance(value, dict):
        return list(islice(value.items(), most))
    if isinstance(value, Mapping):
        return value.items()
    if dataclasses.is_dataclass(value):
        return ((field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value))
    if isinstance(value, tuple):
        return zip(value._fields, value, strict=False)  # type: ignore[attr-defined]  # a named tuple
    return list(islice(value.__dict__.items(), most))


def _name_before(items: list[object], place: int) -> str:
    """What an item goes by: the first of exactly two (a header among headers), or the flag before it; else empty."""
    before, item = items[place - 1], items[place]
    if not issubclass(type(before), (str, bytes)):
        return ""
    name = _key(before)
    if name.startswith("-"):
        return "" if type(item) is str and item.startswith("-") else name
    return name if len(items) == 2 else ""


def _is_listed(value: object) -> bool:
    return isinstance(value, (Sequence, Set)) and not isinstance(value, range)


def _snapshot(value: object, most: int) -> list[object]:
    return list(islice(value, max(most, 1))) if isinstance(value, Iterable) else []
