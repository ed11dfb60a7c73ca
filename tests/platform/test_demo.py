"""The demo is a promise to newcomers: it ends with exit 0 and shows what it says it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("none", "", ()),
        ("crash", "crash_loop_backoff", ("exited with code 1",)),
        ("agent-down", "node_silent|node_offline|last heard", ("agent-1", "unknown", "last heard")),
    ],
)
def test_the_demo_ends_well_and_shows_the_reason(fault: str, reason: str, words: tuple[str, ...], tmp_path: Path) -> None:
    """Exit 0, at least 100 requests served, an instance lost, every answer shown, and nothing left running."""
    os.chmod(tmp_path, 0o755)
    done = subprocess.run(
        [sys.executable, "-m", "miniplatform", "demo", "--break", fault, "--state", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES)}, capture_output=True, text=True, timeout=220, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    served = re.search(r"done: (\d+) requests served", done.stdout)
    assert served
    assert int(served[1]) >= 100
    answers = ("why env", "describe env", "describe route", "describe instance", "changes", "describe edge", "convergence")
    for shown in ("killing instance", "events tail", *answers, *words):
        assert shown in done.stdout, shown
    assert done.stdout.count("verdict: healthy") >= (fault != "none")
    if fault != "none":
        why, _, rest = done.stdout.partition("waiting for the reason")[2].partition("$ platform describe env")
        described = rest.partition("\n[")[0]
        assert re.search(reason, why), why
        assert re.search(reason, described), described
        assert fault != "crash" or "changed before" in why
        took = re.findall(r"waiting for the reason, at most 15 s.*\n\[.*ok after ([\d.]+) s", done.stdout)
        assert len(took) == 1
        assert float(took[0]) <= 15.0
    assert _left_running(tmp_path) == []


def _left_running(state: Path) -> list[str]:
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(state) in line and "pytest" not in line]
