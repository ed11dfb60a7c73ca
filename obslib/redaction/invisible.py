"""Characters that nobody sees, and that would hide a name or a token from every pattern.

Ordinary text needs some of them (joined emoji, Persian, soft hyphens), so they are not taken out of what is
written: only what is looked at is read without them.
"""

from __future__ import annotations

import re

__all__ = ["has_invisible", "visible"]

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff]"
)


def has_invisible(text: str) -> bool:
    """Whether a character of ``text`` takes no place on a screen."""
    return not text.isascii() and _INVISIBLE.search(text) is not None


def visible(text: str) -> str:
    """``text`` as a reader sees it."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
