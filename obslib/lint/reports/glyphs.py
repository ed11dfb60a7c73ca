r"""Source text on a terminal: shown, never obeyed, and measured in the cells it takes.

A control character, an escape or a direction override appears as ``\x1b``; a tab as spaces to the next stop.
"""

from __future__ import annotations

import unicodedata

__all__ = ["excerpt", "shown"]

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINED = {"Mn", "Me"}
_TAB_STOP = 4
_CUT = "…"
_SPAN = 20


def shown(text: str) -> str:
    """``text`` as one line that moves no cursor."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_glyph(character)[0] for character in text)


def excerpt(line: str, begin: int, end: int, *, width: int) -> tuple[str, str]:
    """A line of source cut to ``width`` cells around the characters from ``begin`` to ``end``, and the carets below them.

    Positions count characters from 0; an empty or impossible stretch gets one caret where it would be.
    """
    begin = min(max(begin, 0), len(line))
    end = max(end, begin + 1)
    hidden = max(begin - 2 * width, 0)  # what is further away cannot be shown, so a line of a megabyte costs nothing
    line, begin, end = line[hidden : begin + 2 * width], begin - hidden, end - hidden
    glyphs: list[tuple[str, int, bool]] = []
    column = 0
    for position, character in enumerate(line):
        glyph, cells = _glyph(character)
        if character == "\t":
            cells = _TAB_STOP - column % _TAB_STOP
            glyph = " " * cells
        glyphs.append((glyph, cells, begin <= position < end))
        column += cells
    if begin >= len(line):
        glyphs.append((" ", 1, True))
    left, right = _window(glyphs, width)
    kept = glyphs[left:right]
    source = "".join(glyph for glyph, _, _ in kept)
    carets = "".join(("^" if marked else " ") * cells for _, cells, marked in kept)
    if left:
        source, carets = _CUT + source, " " + carets
    return source.rstrip() + (_CUT if right < len(glyphs) else ""), carets.rstrip()


def _window(glyphs: list[tuple[str, int, bool]], width: int) -> tuple[int, int]:
    """Which glyphs to show so that they fit and the first marked ones are among them."""
    if sum(cells for _, cells, _ in glyphs) <= width:
        return 0, len(glyphs)
    room = max(width - 2 * len(_CUT), 4)
    first = next(position for position, (_, _, marked) in enumerate(glyphs) if marked)
    marked = min(sum(cells for _, cells, is_marked in glyphs if is_marked), room)
    before = 0 if marked >= room else min(_SPAN + room // 4, room - marked)
    left = first
    while left and before >= glyphs[left - 1][1]:
        left -= 1
        before -= glyphs[left][1]
    right, taken = left, 0
    while right < len(glyphs) and taken + glyphs[right][1] <= room:
        taken += glyphs[right][1]
        right += 1
    while left and right == len(glyphs) and taken + glyphs[left - 1][1] <= room:
        left -= 1
        taken += glyphs[left][1]
    return left, max(right, first + 1)


def _glyph(character: str) -> tuple[str, int]:
    if " " <= character <= "~":
        return character, 1
    category = unicodedata.category(character)
    if category in _HIDDEN:
        spelt = character.encode("unicode_escape").decode("ascii")
        return spelt, len(spelt)
    if category in _JOINED:
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1
