"""YAML and JSON as one tree of nodes that know where they stand.

YAML is composed by PyYAML, whose nodes have marks; JSON is read here, because no parser of the standard library says where
a value was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # what the library itself reads strings with
from typing import Any

from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.finding import Place

__all__ = ["Node", "read_json", "read_yaml"]

_DEEPEST = 100
_SPACE = re.compile(r"[ \t\n\r]*")
_BARE = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value: text, a mapping or a list of nodes; numbers and booleans are the text they are written as, null is None."""

    value: str | dict[str, Node] | list[Node] | None
    document: Document
    start: int
    end: int

    @property
    def text(self) -> str:
        """Its text; empty when it is none."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def is_mapping(self) -> bool:
        """Whether it has names."""
        return isinstance(self.value, dict)

    @property
    def place(self) -> Place:
        """Where all of it stands, without the white space after it."""
        written = self.document.text[self.start : self.end]
        return self.document.place(self.start, self.start + len(written.rstrip()))

    def get(self, *path: str) -> Node | None:
        """What a chain of names leads to; None when one of them is not there."""
        found: Node | None = self
        for name in path:
            found = found.value.get(name) if found is not None and isinstance(found.value, dict) else None
        return found if found is None or found.value is not None else None

    def named(self) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping; none of anything else."""
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def items(self, *path: str) -> Iterator[Node]:
        """The items of the list that a chain of names leads to; none of anything else."""
        found = self.get(*path)
        yield from found.value if found is not None and isinstance(found.value, list) else ()

    def place_of(self, start: int, end: int) -> Place:
        """Where a stretch of its text is written; all of it when escapes keep that stretch from being found."""
        wanted, at = self.text[start:end], self.start
        for _ in range(self.text.count(wanted, 0, start) + 1 if wanted else 0):
            at = self.document.text.find(wanted, at, self.end) + 1
            if not at:
                break
        return self.document.place(at - 1, at - 1 + len(wanted)) if wanted and at else self.place


def read_yaml(document: Document) -> Node:
    """The only document of a YAML text; raises Malformed."""
    import yaml

    try:
        root = yaml.compose(document.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Place.at(mark.line + 1, mark.column + 1) if mark else Place.at()
        raise Malformed(f"this is not YAML: {error.problem or error.context}", at) from None
    except yaml.YAMLError as error:
        raise Malformed(f"this is not YAML: {' '.join(str(error).split())}", Place.at()) from None
    except RecursionError:
        raise Malformed("this is not YAML that anybody wrote: it is nested without end", Place.at()) from None
    if root is None:
        raise Malformed("there is nothing in it", Place.at())
    return _YamlTree(document).node(root, 0)


def read_json(document: Document) -> Node:
    """The value of a JSON text; raises Malformed."""
    if not document.text.strip():
        raise Malformed("there is nothing in it", Place.at())
    reader = _JsonReader(document)
    root, end = reader.value(reader.skip(0), 0)
    if reader.skip(end) != len(document.text):
        raise reader.broken("something stands after the end of the value", reader.skip(end))
    return root


class _YamlTree:
    """Turns PyYAML's nodes into ours; what an anchor shares stays shared, what holds itself is refused."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()

    def node(self, found: Any, depth: int) -> Node:
        known = self._done.get(id(found))
        if known is not None:
            return known
        if id(found) in self._open or depth > _DEEPEST:
            raise Malformed("it is nested without end", Place.at(found.start_mark.line + 1, found.start_mark.column + 1))
        self._open.add(id(found))
        value: str | dict[str, Node] | list[Node] | None
        if found.id == "mapping":
            value = self._mapping(found, depth)
        elif found.id == "sequence":
            value = [self.node(item, depth + 1) for item in found.value]
        else:
            value = None if found.tag == _NULL else str(found.value)
        self._open.discard(id(found))
        made = self._done[id(found)] = Node(value, self._document, found.start_mark.index, found.end_mark.index)
        return made

    def _mapping(self, found: Any, depth: int) -> dict[str, Node]:
        named: dict[str, Node] = {}
        for key, value in found.value:
            name = self.node(key, depth + 1)
            if name.text in named:
                raise Malformed(f"{name.text!r} is there twice; only one of them can be meant", name.place)
            named[name.text] = self.node(value, depth + 1)
        return named


class _JsonReader:
    """A JSON text, read value by value; each method returns what it read and the offset after it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text

    def skip(self, at: int) -> int:
        """The offset of the next thing that is no white space."""
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def broken(self, said: str, at: int) -> Malformed:
        """What to raise when the text is no JSON at ``at``."""
        return Malformed(f"this is not JSON: {said}", self._document.place(at, at))

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        """The value that begins at ``at``."""
        if depth > _DEEPEST:
            raise self.broken("it is nested without end", at)
        value: str | dict[str, Node] | list[Node] | None
        match self._text[at : at + 1]:
            case '"':
                value, end = self._string(at)
            case "{":
                value, end = self._mapping(at, depth)
            case "[":
                value, end = self._list(at, depth)
            case _:
                value, end = self._bare(at)
        return Node(value, self._document, at, end), end

    def _string(self, at: int) -> tuple[str, int]:
        if self._text[at : at + 1] != '"':
            raise self.broken("a name in quotes belongs here", at)
        try:
            text, end = scanstring(self._text, at + 1, True)
        except JSONDecodeError as error:
            raise self.broken(error.msg[:1].lower() + error.msg[1:], error.pos) from None
        return str(text), int(end)

    def _bare(self, at: int) -> tuple[str | None, int]:
        found = _BARE.match(self._text, at)
        if found is None:
            raise self.broken("a value belongs here", at)
        return None if found.group() == "null" else found.group(), found.end()

    def _mapping(self, at: int, depth: int) -> tuple[dict[str, Node], int]:
        named: dict[str, Node] = {}
        at = self.skip(at + 1)
        while self._text[at : at + 1] != "}":
            name, at = self._string(at)
            at = self._expect(":", at)
            named[name], at = self.value(at, depth + 1)
            at = self._after_item("}", at)
        return named, at + 1

    def _list(self, at: int, depth: int) -> tuple[list[Node], int]:
        items: list[Node] = []
        at = self.skip(at + 1)
        while self._text[at : at + 1] != "]":
            item, at = self.value(at, depth + 1)
            items.append(item)
            at = self._after_item("]", at)
        return items, at + 1

    def _after_item(self, closing: str, at: int) -> int:
        at = self.skip(at)
        if self._text[at : at + 1] == closing:
            return at
        at = self._expect(",", at)
        if self._text[at : at + 1] == closing:
            raise self.broken("nothing follows the comma", at)
        return at

    def _expect(self, sign: str, at: int) -> int:
        at = self.skip(at)
        if self._text[at : at + 1] != sign:
            raise self.broken(f"{sign!r} belongs here", at)
        return self.skip(at + 1)
