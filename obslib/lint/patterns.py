"""Patterns of paths in the configuration: which files one entry means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

__all__ = ["Patterns"]

_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|[^*?\[]+|\[")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[": r"\["}


class Patterns:
    """A file is meant by a pattern that matches its path below ``root``, or that of a folder around it.

    ``*`` and ``?`` stay within one name, ``**`` does not; a pattern without a slash means that name at any depth.
    """

    def __init__(self, patterns: Iterable[str], root: Path) -> None:
        self._root = os.path.realpath(root)
        self._expressions = tuple(_expression(pattern) for pattern in patterns)

    def __bool__(self) -> bool:
        return bool(self._expressions)

    def match(self, path: Path) -> bool:
        """Whether one of them means this file or folder."""
        if not self._expressions:
            return False
        relative = os.path.relpath(os.path.abspath(path), self._root).replace(os.sep, "/")
        return any(expression.match(relative) for expression in self._expressions)


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    bare = pattern.removeprefix("./").rstrip("/")
    lead = "" if "/" in bare else "(?:.*/)?"
    meaning = "".join(_MEANING.get(piece) or _literal(piece) for piece in _PIECE.findall(bare))
    return re.compile(f"{lead}{meaning}(?:/.*)?\\Z", re.DOTALL)


def _literal(piece: str) -> str:
    if piece.startswith("["):
        inner = piece[1:-1].replace("\\", "\\\\")
        return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
    return re.escape(piece)
