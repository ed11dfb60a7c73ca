"""Where a finding points at is where people see it."""

from __future__ import annotations

import ast

import pytest

from obslib.lint import Place
from obslib.lint.lines import Lines

_BEFORE = {
    "nothing": ("", 1, 1),
    "two lines": ("a = 1\n\n", 3, 1),
    "CRLF": ("a = 1\r\nb = 2\r\n", 3, 1),
    "CR alone": ("a = 1\rb = 2\r", 3, 1),
    "a form feed": ("a = 1\n\x0c\n", 3, 1),
    "a separator of Unicode in a text": ("a = '\u2028\x85'\n", 2, 1),
    "wide characters": ("a = 'äöü漢字🙂'; ", 1, 15),
}


@pytest.mark.parametrize(("before", "line", "column"), _BEFORE.values(), ids=list(_BEFORE))
def test_a_place_counts_lines_and_characters(before: str, line: int, column: int) -> None:
    """Lines end where Python ends them, columns are characters and not bytes."""
    text = f"{before}print(x)\n"
    call = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)][-1]
    assert Lines(text).place(call) == Place(line=line, column=column, end_line=line, end_column=column + 8)


def test_the_place_of_a_definition_is_its_first_line() -> None:
    """A caret under a whole class helps nobody."""
    text = "class A:\n    def f(self):\n        return 1\n"
    assert Lines(text).place(ast.parse(text).body[0]) == Place(line=1, column=1, end_line=1, end_column=9)
