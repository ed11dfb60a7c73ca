"""Where the names of a PromQL expression are written: the parser tells what it means and has no positions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from obslib.lint.artifacts.terms import Span

__all__ = ["Spot", "Written", "depth"]

_TOKEN = re.compile(
    r"""(?P<skipped>\#[^\n]*|\s+)|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<number>\d[\w.]*)"""
    r"""|(?P<name>[a-zA-Z_:][\w:]*)|(?P<operator>=~|!~|!=|==|=)|(?P<sign>.)""",
    re.DOTALL,
)
_GROUPINGS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = frozenset({"and", "or", "unless", "atan2", "bool", "offset", "start", "end", "inf", "nan"}) | _GROUPINGS


def depth(text: str) -> int:
    """How deep the parentheses go."""
    deepest = now = 0
    for found in _TOKEN.finditer(text):
        now += {"(": 1, ")": -1}.get(found.group(), 0)
        deepest = max(deepest, now)
    return deepest


@dataclass(slots=True)
class Spot:
    """One selector as it is written: its name, and each label with where it and its value stand."""

    name: str
    span: Span
    matchers: list[tuple[str, Span, Span]] = field(default_factory=list)


class Written:
    """The selectors of an expression in order, and where each label of a ``by``, ``on`` or the like is named first."""

    def __init__(self, text: str) -> None:
        self.selectors: list[Spot] = []
        self.groupings: dict[str, Span] = {}
        tokens = ((found.lastgroup or "", found.group(), found.span()) for found in _TOKEN.finditer(text))
        self._tokens = [token for token in tokens if token[0] != "skipped"]
        self._at = 0
        while self._at < len(self._tokens):
            self._step()

    def _step(self) -> None:
        kind, text, span = self._tokens[self._at]
        self._at += 1
        if kind == "sign" and text == "[":
            self._until("]")
        elif kind == "sign" and text == "{":
            self._selector("", span)
        elif kind == "name" and text.lower() in _GROUPINGS and self._next() == "(":
            self.groupings = {name: at for kind, name, at in self._until(")") if kind == "name"} | self.groupings
        elif kind == "name" and text.lower() not in _WORDS and not self._is_called():
            if self._next() == "{":
                self._at += 1
                self._selector(text, span)
            else:
                self.selectors.append(Spot(text, span))

    def _selector(self, name: str, span: Span) -> None:
        spot = Spot(name, span)
        inside = self._until("}")
        for (kind, text, at), (following, _, _), (_, _, value_at) in zip(inside, inside[1:], inside[2:], strict=False):
            if following == "operator" and kind in ("name", "string"):
                spot.matchers.append((text.strip("\"'`"), at, _inside(value_at)))
        self.selectors.append(spot)

    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _is_called(self) -> bool:
        return self._next() == "(" or self._next().lower() in ("by", "without")

    def _until(self, closing: str) -> list[tuple[str, str, Span]]:
        begun = self._at
        while self._at < len(self._tokens) and self._next() != closing:
            self._at += 1
        self._at += 1
        return self._tokens[begun : self._at]


def _inside(quoted: Span) -> Span:
    """The span of a text without its quotes; of an empty one with them, so that there is something to point at."""
    return (quoted[0] + 1, quoted[1] - 1) if quoted[1] - quoted[0] > 2 else quoted
