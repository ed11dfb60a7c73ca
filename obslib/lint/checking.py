"""One source through all rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from obslib.lint.evaluation import Evaluation
from obslib.lint.finding import Edit, Finding
from obslib.lint.known import SHIMS
from obslib.lint.lines import Lines
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
    lines = Lines(text)
    found = {
        (problem.node, rule.code): _finding(problem, rule, path, lines)
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


def _finding(problem: Problem, rule: Rule[Use], path: Path, lines: Lines) -> Finding:
    edits = tuple(Edit(place=lines.place(repair.node), text=repair.text) for repair in problem.repairs)
    return Finding(path=str(path), place=lines.place(problem.node), code=rule.code, message=problem.message, edits=edits)
