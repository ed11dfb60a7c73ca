"""What somebody may have meant who spelt a name wrong."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

__all__ = ["nearest"]

_MOST_LISTED = 8


def nearest(name: str, known: Collection[str]) -> str:
    """The end of a sentence: the name that was probably meant, or the names there are."""
    close = get_close_matches(name, sorted(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not known:
        return "; it has none"
    listed = sorted(known)
    return f"; it has {', '.join(map(repr, listed[:_MOST_LISTED]))}" + (" …" if len(listed) > _MOST_LISTED else "")
