"""From console bytes to lines: pure, so that it is the same however a stream is cut into chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from obslib.wire.workload_log import MAX_LINE_BYTES

__all__ = ["Found", "Line", "cut", "find_lines"]

_ELLIPSIS = "…".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it is kept: the bytes as written, without the newline."""

    text: bytes
    is_cut: bool = False


@dataclass(slots=True, kw_only=True)
class Found:
    """What a chunk holds: ``lines``, then ``surplus_lines`` of ``surplus_bytes`` that were not admitted.

    ``consumed`` bytes are done with; what follows them is an unfinished line, or what there was no room for (``is_full``).
    ``is_skipping`` tells that the chunk ends within a line that has been cut already.
    """

    lines: list[Line] = field(default_factory=list)
    surplus_lines: int = 0
    surplus_bytes: int = 0
    consumed: int = 0
    is_skipping: bool = False
    is_full: bool = False


def cut(line: bytes) -> Line:
    """``line`` within the limit: cut on a character edge, ``…`` included in the limit; bytes that are no UTF-8 anywhere."""
    if len(line) <= MAX_LINE_BYTES:
        return Line(text=line)
    end = MAX_LINE_BYTES - len(_ELLIPSIS)
    edge = next((at for at in range(end, end - 4, -1) if line[at] & 0xC0 != 0x80), end)
    return Line(text=line[:edge] + _ELLIPSIS, is_cut=True)


def find_lines(chunk: bytes, *, is_skipping: bool, is_last: bool, most: int, admits: Callable[[int], bool]) -> Found:
    """Find the first ``most`` lines of ``chunk``. After one that ``admits`` refuses, the rest is surplus, only counted.

    ``is_skipping`` as the chunk before left it; ``is_last`` when nothing will ever follow, so that a last line
    without a newline counts.
    """
    found = Found()
    if is_skipping:
        found.consumed = chunk.find(b"\n") + 1
        if not found.consumed:
            return Found(consumed=len(chunk), is_skipping=not is_last)
    while (end := chunk.find(b"\n", found.consumed)) >= 0:
        if len(found.lines) == most:
            found.is_full = True
            return found
        if not admits(min(end - found.consumed, MAX_LINE_BYTES)):
            return _surplus(chunk, found, is_last)
        found.lines.append(cut(chunk[found.consumed : end]))
        found.consumed = end + 1
    rest = chunk[found.consumed :]
    if len(rest) > MAX_LINE_BYTES or (is_last and rest):
        if len(found.lines) == most:
            found.is_full = True
            return found
        if not admits(min(len(rest), MAX_LINE_BYTES)):
            return _surplus(chunk, found, is_last)
        found.lines.append(cut(rest))
        found.consumed = len(chunk)
        found.is_skipping = not is_last
    return found


def _surplus(chunk: bytes, found: Found, is_last: bool) -> Found:
    begin = found.consumed
    found.surplus_lines = chunk.count(b"\n", begin)
    found.consumed = max(begin, chunk.rfind(b"\n") + 1)
    rest = len(chunk) - found.consumed
    if rest > MAX_LINE_BYTES or (is_last and rest):
        found.surplus_lines += 1
        found.consumed = len(chunk)
        found.is_skipping = not is_last
    found.surplus_bytes = found.consumed - begin
    return found
