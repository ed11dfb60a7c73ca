"""What the linter reads from the source of a declaration is what importing it gives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from obslib.catalog.platform import PLATFORM
from obslib.lint.declaring import declared_by
from obslib.lint.evaluation import Evaluation
from obslib.lint.module import Project
from obslib.lint.signal import Signal, signal_of

_FILES = sorted(path for path in Path("obslib/catalog").rglob("*.py"))
_IMPORTED = {(signal_of(each).kind, each.name): signal_of(each) for each in PLATFORM.signals}


def _read(path: Path) -> list[Signal]:
    project = Project([Path(".")])
    module = project.parse(path, path.read_text())
    look = Evaluation(module, project)
    functions = [site for site in module.survey.sites if isinstance(site.node, ast.FunctionDef)]
    found = (declared_by(look, site.node, site.scope, module) for site in functions if isinstance(site.node, ast.FunctionDef))
    return [signal for signal in found if signal is not None]


@pytest.mark.parametrize("path", _FILES, ids=str)
def test_a_declaration_reads_as_it_imports(path: Path) -> None:
    """Kind, name, labels with their closed values, and fields agree for every declaration of the platform."""
    for signal in _read(path):
        imported = _IMPORTED[signal.kind, signal.name]
        assert (signal.kind, signal.name) == (imported.kind, imported.name)
        assert (signal.fields, signal.required) == (imported.fields, imported.required)
        assert dict(signal.labels) == dict(imported.labels)


def test_the_platform_is_read_whole() -> None:
    """The comparison above is made for hundreds of declarations, not for none."""
    assert sum(len(_read(path)) for path in _FILES) > 150
