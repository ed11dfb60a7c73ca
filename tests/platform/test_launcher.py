"""Starting and stopping: what is left behind, and what is said about a place that cannot be used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from miniplatform.agent.caps import Watched, choose
from miniplatform.agent.cgroups import Hierarchies, group_name
from miniplatform.launcher import Platform
from tests.platform.in_this_process import exit_code

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m miniplatform`` with these words."""
    return subprocess.run(
        [sys.executable, "-m", "miniplatform", *arguments],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES)}, capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("state", ["/dev/null", "/proc/nowhere", ""])
def test_a_state_directory_that_cannot_be_used_is_refused_in_one_sentence(
    state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, no traceback, nothing started."""
    assert exit_code("up", "--state", state) == 2
    assert "state" in capsys.readouterr().err


@pytest.mark.slow
def test_a_control_plane_that_refuses_to_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``up`` does not wait for it in vain: it says what the process said, here that a retention key is missing."""
    os.chmod(tmp_path, 0o755)
    policy = tmp_path / "policy.toml"
    policy.write_text("[retention]\n")
    monkeypatch.setenv("MINI_RETENTION_POLICY", str(policy))
    try:
        done = run("up", "--state", str(tmp_path / "state"))
        assert done.returncode == 1
        assert "control-plane ended at start: miniplatform: the retention policy" in done.stderr
        assert "'retention.platform_logs' (documented default '14d')" in done.stderr
    finally:
        Platform(tmp_path / "state").down()


@pytest.mark.slow
def test_down_ends_everything_even_when_the_state_directory_is_gone(tmp_path: Path) -> None:
    """Deleting the directory under a running platform leaves nothing that ``down`` cannot find."""
    state = tmp_path / "state"
    os.chmod(tmp_path, 0o755)
    try:
        up = run("up", "--state", str(state))
        assert up.returncode == 0, up.stderr
        shutil.rmtree(state)
        done = run("down", "--state", str(state))
        assert done.returncode == 0, done.stderr
        assert "control-plane" in done.stdout
        _, left = psutil.wait_procs(_about(state), timeout=10)
        assert left == []
    finally:
        Platform(state).down()


def test_down_removes_the_control_groups_that_a_kill_left(tmp_path: Path) -> None:
    """A platform whose agents were killed leaves groups; ``down`` removes them with whoever is in them."""
    home = tmp_path / "agent-1"
    caps = choose(home, Hierarchies.mounted())
    if isinstance(caps, Watched):
        pytest.skip("this machine lets nobody make control groups with a memory controller")
    caps.confine("boot_1", 2**26)
    left = {path for root in Hierarchies.mounted().all() for path in root.glob(f"{group_name(home)}/boot_1")}
    assert left

    Platform(tmp_path).down()

    assert [path for path in left if path.parent.exists()] == []


def test_down_where_nothing_runs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0 and one line; asking twice is harmless."""
    for _ in range(2):
        assert exit_code("down", "--state", str(tmp_path)) == 0
        printed = capsys.readouterr()
        assert "nothing runs" in printed.out
        assert printed.err == ""


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    """With the pipe closed before a word is written, exit 0 and no traceback."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "miniplatform", "down", "--state", str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(EXAMPLES)}, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def _about(state: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if any(str(state) in word for word in p.info["cmdline"] or ())]
