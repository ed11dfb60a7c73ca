"""The README tells the truth: its code runs and its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_service_of_the_readme_runs(tmp_path: Path) -> None:
    """The complete program runs as it stands and writes strict lines; the type checker accepts it."""
    (program,) = [block for block in BLOCKS if 'obslib.start("billing"' in block]
    path = tmp_path / "billing.py"
    path.write_text(program)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"component":"billing"' in done.stdout
    assert '"msg":"sent"' in done.stdout


def test_the_component_of_the_readme_compiles() -> None:
    """The excerpt of a component is valid Python and names only signals that exist."""
    from obslib.catalog.platform import data_plane

    (excerpt,) = [block for block in BLOCKS if "AGENT_RECONCILE" in block]
    compile(excerpt, "README.md", "exec")
    for name in re.findall(r"\bs\.([A-Z_]+)", excerpt):
        assert hasattr(data_plane, name), name


def test_the_path_from_a_user_id_to_the_answer(tmp_path: Path) -> None:
    """Each program of the section is written, each command run, and what it prints is what the page says it prints."""
    section = README.split("## From a counter with a user id")[1].split("\n## ")[0]
    shop = tmp_path / "shop.py"
    shown = 0
    for language, block in re.findall(r"```(python|console)\n(.*?)```", section, re.DOTALL):
        if language == "python":
            shop.write_text(block)
            continue
        if "nothing found" in block:
            shop.write_text(shop.read_text().replace("kind=user.id", 'kind="monthly"'))
        for command, expected in re.findall(r"^\$ obslib (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            done = subprocess.run(
                [str(Path(sys.executable).with_name("obslib")), *command.split()],
                cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            pattern = ".*?".join(map(re.escape, re.split(r" *…\n", expected)))
            assert re.fullmatch(pattern, done.stdout, re.DOTALL), done.stdout + done.stderr
            shown += 1
    assert shown == 4


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", README))))
def test_each_make_target_of_the_readme_exists(target: str) -> None:
    """``make -n`` knows it."""
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:obslib|shims|examples|tests|specs)/[a-z_/.]*)`", README))))
def test_each_path_of_the_readme_exists(path: str) -> None:
    """The map of the house is of this house."""
    assert (ROOT / path).exists()
