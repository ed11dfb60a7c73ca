"""The hooks that another repository names in its pre-commit configuration are there, and the commands they run work."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from obslib.cli.main import main
from tests.lint.fake_engine import wrote

HOOKS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_a_hook_says_what_pre_commit_needs(hook: dict[str, Any]) -> None:
    """Id, name, entry and language are mandatory; it gets Python files, in one process, so that they share the cache."""
    assert all(isinstance(hook[key], str) and hook[key] for key in ("id", "name", "description", "entry", "language"))
    assert (hook["language"], hook["types"], hook["require_serial"]) == ("python", ["python"], True)


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_the_command_of_a_hook_runs(
    hook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pre-commit names every changed file; what the project excludes stays excluded, and what is broken fails the commit."""
    monkeypatch.chdir(tmp_path)
    wrote(tmp_path / "pyproject.toml")('[tool.obslib.lint]\nexclude = ["old.py"]\n')
    for name, text in (("old.py", "print 'x'\n"), ("new.py", "x = 1\n"), ("broken.py", "x = (\n")):
        wrote(tmp_path / name)(text)
    codes = []
    for names in (["old.py", "new.py"], ["old.py"], ["broken.py"]):
        monkeypatch.setattr(sys, "argv", [*shlex.split(hook["entry"]), *names])
        with pytest.raises(SystemExit) as ending:
            main()
        codes.append(ending.value.code)
    assert codes == [0, 0, 1]
    assert capsys.readouterr().out.startswith("1 file, nothing found\n0 files, nothing found\nbroken.py:1:5 OBS901 ")
