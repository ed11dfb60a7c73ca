"""Whether a run of characters was drawn at random, judged conservatively.

This is the last rule and the only one without a shape to go by, so it must leave alone everything a platform
writes all day: ids, ULIDs, UUIDs, digests, hexadecimal numbers, paths and identifiers in any case style.
"""

from __future__ import annotations

import re
from operator import ne

__all__ = ["SHORTEST", "has_token_mix", "looks_random"]

SHORTEST = 20
"""Runs below this many characters are never called random."""

_SPLIT = re.compile(r"[-_/+.=~:]+")
_KNOWN_PART = re.compile(
    r"[0-9a-f]+|[0-9A-F]+|[0-7][0-9A-HJKMNP-TV-Z]{25}|[0-7][0-9a-hjkmnp-tv-z]{25}"
    r"|[A-Za-z]?[a-z]*[0-9]{0,4}|[A-Z]+[0-9]{0,4}|[0-9]{1,4}[a-z]{1,3}"
    r"|(?:(?:[A-Z]{0,6}[a-z]{2,}|[A-Z][a-z])(?![a-z]))+[A-Z]{0,6}[0-9]{0,4}"
)
_KINDS = bytes(ord("d" if 48 <= c <= 57 else "u" if 65 <= c <= 90 else "l" if 97 <= c <= 122 else ".") for c in range(256))
_SEPARATED = re.compile(r"[-_.=~:]")
_CLOUD_KEY = 40
_LONGEST_JUDGED = 256


def looks_random(run: str) -> bool:
    """Whether ``run`` (ASCII letters, digits and separators) reads like a key or token.

    Parts between separators that are words, numbers, hexadecimal or ULIDs do not count; what remains must be
    long and change between digits, upper and lower case as often as chance does and names do not.
    """
    if len(run) < SHORTEST or not run.isascii():
        return False
    judged = run[:_LONGEST_JUDGED]
    odd = _odd_parts(judged)
    rest = "".join(odd)
    if len(rest) < 16 or len(rest) < 0.5 * len(judged) or len(rest) < 6 * len(odd):
        return False
    digits, upper, lower, changes = _mix(rest)
    varied = len(set(rest)) / min(len(rest), 40)
    if digits and upper and lower:
        if len(run) == _CLOUD_KEY and not _SEPARATED.search(run):
            return changes >= 0.25
        return changes >= 0.38 and varied >= 0.4
    if digits >= 3 and len(rest) >= SHORTEST:
        return changes >= 0.27 and varied >= 0.35 and digits <= 0.6 * len(rest)
    return upper >= 8 and lower >= 8 and len(rest) >= 32 and changes >= 0.4


def has_token_mix(tail: str) -> bool:
    """Whether what follows an ambiguous prefix (``sk-``, ``re_``) is a token rather than words with dashes."""
    rest = "".join(_odd_parts(tail[:_LONGEST_JUDGED]))
    if len(rest) < 10:
        return False
    digits, _, _, changes = _mix(rest)
    return digits >= 2 and changes >= 0.2


def _odd_parts(run: str) -> list[str]:
    return [part for part in _SPLIT.split(run) if part and not _KNOWN_PART.fullmatch(part)]


def _mix(rest: str) -> tuple[int, int, int, float]:
    """Digits, upper, lower and the share of neighbours that differ in kind."""
    kinds = rest.encode().translate(_KINDS)
    changes = sum(map(ne, kinds, kinds[1:])) / (len(rest) - 1)
    return kinds.count(b"d"), kinds.count(b"u"), kinds.count(b"l"), changes
