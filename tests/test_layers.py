"""The floor plan holds: imports go one way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_LINT = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--config"]


def test_every_import_contract_is_kept() -> None:
    """No room imports one above it, no shim a library behind obslib, no room its sibling."""
    done = subprocess.run([*_LINT, "pyproject.toml"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_mutants_of_the_floor_plan_are_found(tmp_path: Path) -> None:
    """A sink that imports the runtime breaks the contract, and so does a module without a floor: the check is able to fail."""
    for package in ("obslib", "obslib_agent", "obslib_edge", "obslib_scheduler", "obslib_control_plane"):
        source = ROOT / package if package == "obslib" else ROOT / "shims" / package.removeprefix("obslib_") / package
        _copy(source, tmp_path / package)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for path, text, told in (
        ("sinks/culprit.py", "import obslib.runtime\n", "obslib.sinks.culprit"),
        ("attic.py", "", "attic"),
    ):
        (tmp_path / "obslib" / path).write_text(text)
        done = subprocess.run([*_LINT, "pyproject.toml"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert told in done.stdout
        (tmp_path / "obslib" / path).unlink()


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
