"""The tests a row cites, read and not run: whether they are there, and what they speak of.

A test speaks of what its own code names and of what the helpers and constants of its file name that it uses; a
docstring proves nothing, nor does code that cannot run. A test that is always skipped, or that asserts nothing, is no
evidence.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from obslib.ledger.evidence import Function, is_claim, is_skipped, running, skips_itself

__all__ = ["NoEvidenceError", "Suite", "Words"]

_SAMPLES = "(?:_bucket|_count|_sum)?"


class NoEvidenceError(LookupError):
    """A cited test that proves nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Words:
    """What some code names: ``names`` are identifiers, ``texts`` its strings in the order they are written."""

    names: frozenset[str]
    texts: tuple[str, ...]

    def __or__(self, other: Words) -> Words:
        return Words(self.names | other.names, (*self.texts, *other.texts))

    def name_one_of(self, spellings: Iterable[str]) -> bool:
        """Whether one of the spellings is an identifier here, or a word of a string."""
        wanted = list(spellings)
        if not self.names.isdisjoint(wanted):
            return True
        word = re.compile("|".join(map(_as_word, wanted)))
        return any(word.search(text) for text in self.texts)

    def say(self, words: Iterable[str]) -> bool:
        """Whether the words follow each other, in one string or in strings one after the other."""
        wanted = list(words)
        said = [word.strip("`'\"") for text in self.texts for word in text.split()]
        return any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1))


def _as_word(name: str) -> str:
    """Where ``name`` stands in a text; ``limits.max_lines`` speaks of max_lines, ``scheduler.loop`` does not speak of loop."""
    before = r"(?<!\w)" if "_" in name else r"(?<![\w.])"
    return rf"{before}{re.escape(name)}{_SAMPLES}(?!\w)"


NOTHING = Words(frozenset(), ())


class Suite:
    """The test files below a root, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, _File] = {}

    def words(self, reference: str) -> Words:
        """What ``tests/….py::test_name``, or every test of a file, speaks of; raises NoEvidenceError."""
        path, _, test = reference.partition("::")
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = _File(self._root, path)
        if test:
            return file.words(test)
        found = NOTHING
        for name in file.tests():
            found |= file.words(name)
        return found


class _File:
    def __init__(self, root: Path, path: str) -> None:
        if not re.fullmatch(r"tests/(?:\w+/)*test_\w+\.py", path):
            raise NoEvidenceError(f"{path!r} is no test file; name it from the root, as in 'tests/shims/test_edge.py'")
        try:
            module = ast.parse((root / path).read_bytes())
        except OSError:
            raise NoEvidenceError(f"test file {path!r} does not exist") from None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise NoEvidenceError(f"test file {path!r} is no Python: {error}") from None
        self._path = path
        self._definitions = dict(_definitions(module))
        self._is_skipped = is_skipped(getattr(self._definitions.get("pytestmark"), "value", None))

    def tests(self) -> list[str]:
        found = [name for name, node in self._definitions.items() if name.startswith("test_") and isinstance(node, Function)]
        if not found:
            raise NoEvidenceError(f"test file {self._path!r} holds no test")
        return found

    def words(self, test: str) -> Words:
        function = self._definitions.get(test) if test.startswith("test_") else None
        if not isinstance(function, Function):
            raise NoEvidenceError(f"there is no test {test!r} in {self._path!r}")
        if self._is_skipped or any(map(is_skipped, function.decorator_list)) or skips_itself(function.body):
            raise NoEvidenceError(f"test {test!r} in {self._path!r} never runs, because it is skipped or expected to fail")
        reached = list(self._reached(function))
        if not any(is_claim(node) for part in reached for node in running(part)):
            raise NoEvidenceError(f"test {test!r} in {self._path!r} asserts nothing")
        found = NOTHING
        for part in reached:
            found |= _words(part)
        return found

    def _reached(self, start: ast.stmt) -> Iterator[ast.stmt]:
        """The test and whatever of its file it uses, fixtures by the names of its parameters."""
        seen, ahead = {id(start)}, [start]
        while ahead:
            part = ahead.pop(0)
            yield part
            for name in sorted(_words(part).names):
                used = self._definitions.get(name)
                if used is not None and id(used) not in seen:
                    seen.add(id(used))
                    ahead.append(used)


def _definitions(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for statement in module.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, statement
            case ast.Assign(targets=targets):
                yield from ((target.id, statement) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, statement


def _words(part: ast.stmt) -> Words:
    names, texts, docstrings = set[str](), list[tuple[int, int, str]](), set[int]()
    for node in running(part):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as docstring):
                docstrings.add(id(docstring))
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                names.add(name)
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                texts.append((node.lineno, node.col_offset, text))
            case ast.Constant(value=bytes(raw)):
                texts.append((node.lineno, node.col_offset, raw.decode("utf-8", "replace")))
    return Words(frozenset(names), tuple(text for _, _, text in sorted(texts)))
