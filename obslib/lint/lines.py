"""Where a node of the syntax tree stands in its text, counted as people count: lines and characters from 1."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from obslib.lint.finding import Place

__all__ = ["Lines"]

_END_OF_LINE = re.compile(r"\r\n|\n|\r")


class Lines:
    """The lines of a source as Python counts them: a form feed or a Unicode separator ends none."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _lines(self) -> list[str]:
        return _END_OF_LINE.split(self._text)

    def place(self, node: ast.AST) -> Place:
        """The place of ``node``; of a definition, its first line alone."""
        line: int = getattr(node, "lineno", 1)
        start: int = getattr(node, "col_offset", 0)
        end_line: int = getattr(node, "end_lineno", None) or line
        end: int = getattr(node, "end_col_offset", None) or start + 1
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            end_line, end = line, len(self._line(line).rstrip().encode())
        return Place(
            line=line,
            column=self._characters(line, start) + 1,
            end_line=end_line,
            end_column=self._characters(end_line, end) + 1,
        )

    def text(self, node: ast.AST) -> str:
        """What is written at the node, on one line; empty for one that stands nowhere."""
        first, start = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        last, end = getattr(node, "end_lineno", None) or 0, getattr(node, "end_col_offset", None) or 0
        lines = [line.encode() for line in self._lines[max(first - 1, 0) : last]] or [b""]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][start:]
        return " ".join(b"\n".join(lines).decode(errors="replace").split())

    def _line(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def _characters(self, number: int, offset: int) -> int:
        """The syntax tree counts bytes of UTF-8."""
        line = self._line(number)
        return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))
