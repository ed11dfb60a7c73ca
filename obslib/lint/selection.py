"""Which findings a run reports: what the command line and the configuration say about rules, for each path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from obslib.lint.configuration import Configuration
from obslib.lint.own import Own
from obslib.lint.patterns import Patterns

__all__ = ["Selection"]

_BLIND = frozenset(code.value for code in Own if code.is_blindness)


class Selection:
    """``select`` of the command line replaces what is configured, ``ignore`` adds to it.

    Raises UsageError, naming where it was written, for a word that means no rule.
    """

    def __init__(self, configuration: Configuration, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> None:
        where = f"[tool.obslib.lint] in {str(configuration.file)!r}"
        self._selected = _codes(select, "--select") or _codes(configuration.select, f"'select' of {where}")
        self._ignored = _codes(ignore, "--ignore") | _codes(configuration.ignore, f"'ignore' of {where}")
        self._by_path = [
            (Patterns([pattern], configuration.root), _codes(words, f"'per-path-ignores' of {where}"))
            for pattern, words in configuration.per_path_ignores.items()
        ]

    def __call__(self, path: Path, code: str) -> bool:
        """Whether a finding with this code is reported for this path; that a file was not looked at always is."""
        if code in _BLIND:
            return True
        if code in self._ignored or (self._selected and code not in self._selected):
            return False
        return not any(code in codes and patterns.match(path) for patterns, codes in self._by_path)


def _codes(words: Iterable[str], where: str) -> frozenset[str]:
    """The rulebook is only read for words, so that a project which takes all rules does without it."""
    if not words:
        return frozenset()
    from obslib.lint.rulebook import chosen

    return chosen(words, where=where)
