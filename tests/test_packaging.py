"""Five distributions, each holding its own package and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = {
    ".": ("platform_obslib", "obslib"),
    "shims/control_plane": ("platform_obslib_control_plane", "obslib_control_plane"),
    "shims/scheduler": ("platform_obslib_scheduler", "obslib_scheduler"),
    "shims/agent": ("platform_obslib_agent", "obslib_agent"),
    "shims/edge": ("platform_obslib_edge", "obslib_edge"),
}


@pytest.mark.slow
@pytest.mark.parametrize("folder", DISTRIBUTIONS)
def test_a_wheel_holds_one_package_and_cannot_be_uploaded(folder: str, tmp_path: Path) -> None:
    """No wheel makes shims, tests or examples importable; each is typed and refuses the public index."""
    distribution, package = DISTRIBUTIONS[folder]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / folder, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"{distribution}-")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert {top for top in tops if not top.endswith(".dist-info")} == {package}
        assert f"{package}/py.typed" in archive.namelist()
        (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        assert "Private :: Do Not Upload" in archive.read(metadata).decode()
