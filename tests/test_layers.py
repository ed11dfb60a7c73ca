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


def test_mutant_an_upward_import_is_found(tmp_path: Path) -> None:
    """A sink that imported the runtime would break a contract: the check is able to fail."""
    for package in ("obslib", "obslib_agent", "obslib_edge", "obslib_scheduler", "obslib_control_plane"):
        source = ROOT / package if package == "obslib" else ROOT / "shims" / package.removeprefix("obslib_") / package
        _copy(source, tmp_path / package)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    culprit = tmp_path / "obslib" / "sinks" / "culprit.py"
    culprit.write_text("import obslib.runtime\n")
    done = subprocess.run([*_LINT, "pyproject.toml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "obslib.sinks.culprit" in done.stdout


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
