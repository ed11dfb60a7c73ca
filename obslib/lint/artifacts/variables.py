"""Grafana's variables: what stands in a query for ``$node``, ``${node:regex}``, ``[[node]]`` and ``$__rate_interval``.

A query is PromQL only once they are filled. In quotes a stand-in is put that no rule compares; a span or a number gets an
example; a metric or a label is tried under every value that the dashboard lists, and reported where only Grafana knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from obslib.lint.artifacts.question import STAND_IN, Asked, Text
from obslib.lint.artifacts.tree import Node

__all__ = ["Variables"]

_VARIABLE = re.compile(
    r"\$\{(?P<braced>\w+)(?:\.[^:}]+)?(?::[^}]+)?\}|\[\[(?P<squared>\w+)(?::\w+)?\]\]|\$(?P<plain>[a-zA-Z_]\w*)"
)
_BEFORE_SPAN = re.compile(r"(?:\[[^\]]*|\boffset\s+-?)\Z")
_BEFORE_NUMBER = re.compile(
    r"(?:[<>=+\-*/%^]\s*(?:bool\s+)?|\b(?:topk|bottomk|quantile|histogram_quantile|limitk)\b[^(]*\(\s*)\Z"
)
_NUMBERS = frozenset({"__interval_ms", "__rate_interval_ms", "__range_s", "__range_ms", "__from", "__to"})
_SPANS = frozenset({"__interval", "__rate_interval", "__range"})
_TEXTS = frozenset({"__name", "__dashboard", "__org", "__user", "__all", "timeFilter", "__timeFilter"})
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")
_WORD = re.compile(r"[\w:]")
_MOST = 64
"""So many listed values are tried; a variable that stands for a name and has more is reported."""


@dataclass(frozen=True, slots=True)
class _Hole:
    """One use of a variable in a query, and the texts it is tried with."""

    start: int
    end: int
    texts: tuple[str, ...]


class Variables:
    """The variables of one dashboard."""

    def __init__(self, listed: Mapping[str, Node]) -> None:
        self._listed = listed

    @staticmethod
    def of(dashboard: Node) -> Variables:
        """Those that a dashboard declares."""
        named = ((each.get("name"), each) for each in dashboard.items("templating", "list"))
        return Variables({name.text: each for name, each in named if name is not None})

    def fill(self, node: Node, within: tuple[int, int] | None = None) -> tuple[list[Text], list[Asked]]:
        """The queries that the text of ``node`` (or a stretch of it) can stand for, and what in it cannot be followed."""
        begun, ended = within or (0, len(node.text))
        written = node.text[begun:ended]
        holes, lost = [], []
        for found in _VARIABLE.finditer(written):
            name = found["braced"] or found["squared"] or found["plain"]
            said = self._wrong(name, written)
            if said:
                lost.append(Asked(said, node.place_of(begun + found.start(), begun + found.end())))
            texts = self._texts(name, written, found.start(), found.end())
            if not texts:
                lost.append(
                    Asked(
                        f"{found.group()} stands for a metric or a label that only Grafana knows; "
                        f"write the name, or list the values, at most {_MOST}, in a variable of type 'custom'",
                        node.place_of(begun + found.start(), begun + found.end()),
                    )
                )
            holes.append(_Hole(found.start(), found.end(), texts or ("__unresolved__",)))
        return ([] if lost else list(_filled(written, begun, holes))), lost

    def _wrong(self, name: str, written: str) -> str:
        is_known = name in self._listed or name in _NUMBERS | _SPANS | _TEXTS or name.startswith("__")
        if is_known or f"(?P<{name}>" in written:
            return ""
        return f"variable {name!r} is not declared in this dashboard; declare it in templating, or write the value"

    def _texts(self, name: str, written: str, start: int, end: int) -> tuple[str, ...]:
        before, after = written[:start], written[end : end + 1]
        if _is_quoted(before):
            return (STAND_IN,)
        if _BEFORE_SPAN.search(before):
            return ("1",) if after.isalpha() or name in _NUMBERS else ("5m",)
        if name in _SPANS:
            return ("5m",)
        values = self._values(name)
        is_part = bool(_WORD.match(before[-1:]) or _WORD.match(after))
        if name in _NUMBERS or (not is_part and not values and _BEFORE_NUMBER.search(before)):
            return ("1",)
        return values if len(values) <= _MOST else ()

    def _values(self, name: str) -> tuple[str, ...]:
        """Every value that the dashboard itself lists; the one chosen last, when it is a number."""
        listed = self._listed.get(name)
        if listed is None:
            return ()
        kind, query, chosen = (
            found.text if (found := listed.get(*path)) else "" for path in (("type",), ("query",), ("current", "value"))
        )
        match kind:
            case "custom" | "interval":
                return tuple(each.rpartition(" : ")[2].strip() for each in query.split(",") if each.strip())
            case "constant":
                return (query,) if query else ()
        return (chosen,) if _NUMBER.match(chosen) else (query,) if kind == "textbox" and _NUMBER.match(query) else ()


def _is_quoted(before: str) -> bool:
    quote, skips = "", False
    for sign in before:
        if skips:
            skips = False
        elif sign == "\\" and quote and quote != "`":
            skips = True
        elif sign == quote:
            quote = ""
        elif not quote and sign in "\"'`":
            quote = sign
    return bool(quote)


def _filled(written: str, begun: int, holes: list[_Hole]) -> Iterator[Text]:
    """Every filling: the n-th listed value of each variable together, the shorter lists going round."""
    rounds = max((len(hole.texts) for hole in holes), default=1)
    for turn in range(rounds):
        pieces, origin, at = [], list[int](), 0
        for hole in holes:
            text = hole.texts[turn % len(hole.texts)]
            pieces += [written[at : hole.start], text]
            origin += range(begun + at, begun + hole.start)
            origin += [begun + hole.start] * len(text)
            at = hole.end
        pieces.append(written[at:])
        origin += range(begun + at, begun + len(written))
        yield Text("".join(pieces), tuple(origin))
