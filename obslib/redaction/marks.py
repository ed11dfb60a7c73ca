"""What stands where a secret was.

While rules still run, one lone surrogate per kind stands in for the marker: no cleaned text can hold one by
itself, no rule can mistake it for part of a secret, and a line full of secrets does not grow between rules.
"""

from __future__ import annotations

import re
import typing

from obslib.catalog.common import RedactionKind

__all__ = ["KINDS", "is_marked", "mark", "marker", "settle"]

KINDS: tuple[str, ...] = typing.get_args(RedactionKind)
_MARKS = {kind: chr(0xD800 + place) for place, kind in enumerate(KINDS)}
_MARKED = re.compile(f"\\[redacted:|[{''.join(_MARKS.values())}]")


def marker(kind: str) -> str:
    """What a reader sees."""
    return f"[redacted:{kind}]"


def mark(kind: str) -> str:
    """What the other rules see until ``settle``."""
    return _MARKS[kind]


def settle(text: str) -> str:
    """``text`` with every mark spelled out."""
    for kind, sign in _MARKS.items():
        if sign in text:
            text = text.replace(sign, marker(kind))
    return text


def is_marked(text: str) -> bool:
    """Whether something in ``text`` has been redacted already."""
    return _MARKED.search(text) is not None
