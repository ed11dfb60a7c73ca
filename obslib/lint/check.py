"""One source through all rules."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from obslib.lint.evaluation import Evaluation
from obslib.lint.finding import Edit, Finding, Place
from obslib.lint.known import SHIMS
from obslib.lint.module import Module, Project
from obslib.lint.reading import read
from obslib.lint.rule import Problem, Rule
from obslib.lint.rules import RULES
from obslib.lint.uses import File, Use

__all__ = ["Checked", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules found in one source, and the files, there or not, that were looked for to find it."""

    findings: tuple[Finding, ...]
    read: frozenset[Path]


def check(path: Path, text: str, project: Project, rules: Iterable[type[Rule[Use]]] | None = None) -> Checked:
    """Put ``text``, the source of ``path``, before the rules; all of them unless some are named.

    Raises SyntaxError, ValueError, RecursionError or MemoryError, as ``ast.parse`` does, for a source that is none.
    """
    module = project.parse(path, text)
    look = Evaluation(module, project)
    file = File(path=path, module=module, look=look, is_component=_is_component(module, project))
    listening = _by_use(RULES.values() if rules is None else rules)
    found = {
        (problem.node, rule.code): _finding(problem, rule, file)
        for use in read(file)
        for rule in listening.get(type(use), ())
        for problem in rule.check(use, file)
    }
    return Checked(tuple(sorted(found.values(), key=lambda finding: (finding.place, finding.code))), frozenset(look.read))


def _by_use(rules: Iterable[type[Rule[Use]]]) -> Mapping[type[Use], list[Rule[Use]]]:
    found: dict[type[Use], list[Rule[Use]]] = {}
    for rule in rules:
        for kind in rule.on if isinstance(rule.on, tuple) else (rule.on,):
            found.setdefault(kind, []).append(rule())
    return found


def _is_component(module: Module, project: Project) -> bool:
    if project.components is not None:
        path = module.path.absolute()
        return any(path.is_relative_to(each.absolute()) for each in project.components)
    tops = {dotted.partition(".")[0] for dotted in module.survey.modules}
    return "obslib" in tops or not tops.isdisjoint(SHIMS)


def _finding(problem: Problem, rule: Rule[Use], file: File) -> Finding:
    lines = file.module.text.splitlines(keepends=True)
    edits = tuple(Edit(place=_place(repair.node, lines), text=repair.text) for repair in problem.repairs)
    return Finding(path=str(file.path), place=_place(problem.node, lines), code=rule.code, message=problem.message, edits=edits)


def _place(node: ast.AST, lines: list[str]) -> Place:
    line: int = getattr(node, "lineno", 1)
    start: int = getattr(node, "col_offset", 0)
    end_line: int = getattr(node, "end_lineno", None) or line
    end: int = getattr(node, "end_col_offset", None) or start + 1
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        end_line, end = line, len(_line(lines, line).rstrip().encode())
    return Place(
        line=line,
        column=_characters(lines, line, start) + 1,
        end_line=end_line,
        end_column=_characters(lines, end_line, end) + 1,
    )


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _characters(lines: list[str], number: int, offset: int) -> int:
    """The syntax tree counts bytes of UTF-8; people count characters."""
    line = _line(lines, number)
    return offset if line.isascii() else len(line.encode()[:offset].decode(errors="ignore"))
