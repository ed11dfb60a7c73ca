"""Sources written to a directory, and what the linter makes of their names."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from obslib.lint.evaluation import Evaluation
from obslib.lint.module import Module, Project
from obslib.lint.reading import read
from obslib.lint.uses import File, Use
from obslib.lint.value import Value


@dataclass
class Source:
    """One file of a project, and questions about it."""

    file: File

    @property
    def module(self) -> Module:
        """The file, parsed and walked."""
        return self.file.module

    def of(self, name: str) -> Value:
        """What a name at the top of the module stands for."""
        scope = self.module.survey.scope
        return self.file.look.value(ast.Name(id=name, ctx=ast.Load()), scope)

    def uses(self, *kinds: type[Use]) -> list[Use]:
        """The uses of these kinds, all of them unless some are named."""
        return [use for use in read(self.file) if not kinds or isinstance(use, kinds)]


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Source]:
    """Write the modules of a project by their paths; the last one is the file looked at."""

    def write(text: str, **others: str) -> Source:
        for name, other in others.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(other))
        path = tmp_path / "component.py"
        project = Project([tmp_path])
        module = project.parse(path, dedent(text))
        return Source(File(path=path, module=module, look=Evaluation(module, project)))

    return write
