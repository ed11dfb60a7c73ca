"""An agent that is killed at any moment costs no workload, no exit status and no line of console."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from miniplatform.agent.cgroups import Hierarchies, group_name, remove_groups
from miniplatform.launcher import wait_for
from tests.miniplatform.fake_control_plane import NODE_ID, TOKEN, FakeControlPlane, planned
from tests.miniplatform.guest_inits import guest_inits

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
LISTEN = "import os,socket; s = socket.create_server((os.environ['ADDRESS'], int(os.environ['PORT'])))\n"
SERVES = ("python", "-c", LISTEN + "while True: s.accept()[0].close()")
UNTIL_TOLD = "import pathlib,time\nwhile not pathlib.Path(os.environ['END']).exists(): time.sleep(0.01)\nraise SystemExit(7)"
FAST = {"MINI_AGENT_PERIOD_S": "0.05", "MINI_HEALTH_INTERVAL_S": "0.05", "MINI_HEARTBEAT_S": "0.1"}


class AgentProcess:
    """One agent as its operator runs it, and again, and again."""

    def __init__(self, home: Path, plane: FakeControlPlane) -> None:
        self.home = home
        self.plane = plane
        self.log = home / "agent.jsonl"
        (home / "identity.json").write_text(json.dumps({"node_id": NODE_ID, "token": TOKEN, "name": "agent-1"}))
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start an agent on the node."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "miniplatform", "agent", "--state", str(self.home), "--name", "agent-1",
                    "--api", self.plane.url, "--identity", str(self.home / "identity.json"),
                ],
                env={**os.environ, **FAST, "PYTHONPATH": str(EXAMPLES), "OBSLIB_LOG_FORMAT": "json"}, stdout=log,
            )  # fmt: skip
        return self.process

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(5)

    def events(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one declared event."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line.get("event") == event]

    def inits(self) -> list[psutil.Process]:
        """Every guest init of the node."""
        return guest_inits(self.home)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    """A running agent with a control plane of its own."""
    plane = FakeControlPlane()
    plane.up()
    made = AgentProcess(tmp_path, plane)
    yield made
    made.kill()
    plane.down()
    for process in made.inits():
        process.kill()
    remove_groups(tmp_path / "agent-1", Hierarchies.mounted())


def test_an_agent_killed_and_restarted_adopts_what_runs_and_learns_how_the_rest_ended(
    agent: AgentProcess, tmp_path: Path
) -> None:
    """After SIGKILL one workload is adopted as it is, and the exit status of one that ended meanwhile is reported."""
    plane, one = agent.plane, planned(1, *SERVES)
    two = planned(2, "python", "-c", LISTEN + UNTIL_TOLD, env={"END": str(tmp_path / "end")})
    plane.want(one, two)
    wait_for("both to be ready", lambda: plane.statuses().count("ready") == 2, deadline_s=15)
    wait_for("a heartbeat that says so", lambda: _states(plane.heartbeat()) == ["ready", "ready"], deadline_s=5)
    beat = plane.heartbeat()
    pid = beat["instances"][one.instance_id]["pid"]
    before = len(plane.told)

    agent.kill()
    (tmp_path / "end").touch()
    wait_for("the second one to end", lambda: len(agent.inits()) == 1, deadline_s=5)
    agent.start()
    wait_for("its end to be reported", lambda: "failed" in plane.statuses(two.instance_id), deadline_s=15)

    failed = next(report for report in plane.reports(two.instance_id) if report["status"] == "failed")
    assert failed["termination"]["exit_code"] == 7
    assert failed["termination"]["reason_detail"] == "exited with code 7"
    assert failed["boot_id"] == plane.reports(two.instance_id)[0]["boot_id"]
    assert plane.statuses(one.instance_id) == ["booting", "ready"]
    wait_for(
        "a heartbeat of the new agent", lambda: any(t.path.endswith("/heartbeat") for t in plane.told[before:]), deadline_s=5
    )
    assert plane.heartbeat()["instances"][one.instance_id]["pid"] == pid
    assert [line["instance_id"] for line in agent.events("instance.adopted")] == [one.instance_id]
    (tmp_path / "end").unlink()
    os.kill(pid, signal.SIGKILL)
    wait_for(
        "the adopted one to be restarted",
        lambda: plane.statuses(one.instance_id)[2:] == ["failed", "booting", "ready"],
        deadline_s=15,
    )


def test_an_end_by_the_memory_cap_is_learnt_by_the_next_agent(agent: AgentProcess, tmp_path: Path) -> None:
    """What outgrew its memory while no agent was there is reported as that, with its peak, and its groups are gone."""
    grows = LISTEN + "import pathlib,time\nwhile not pathlib.Path(os.environ['END']).exists(): time.sleep(0.01)\n"
    hungry = grows + "kept = []\nwhile True: kept.append(b'x' * 2**20); time.sleep(0.01)"
    agent.plane.want(planned(1, "python", "-c", hungry, env={"END": str(tmp_path / "end")}, memory_bytes=64 * 2**20))
    wait_for("it to be ready", lambda: agent.plane.statuses() == ["booting", "ready"], deadline_s=15)

    agent.kill()
    (tmp_path / "end").touch()
    wait_for("it to end", lambda: not agent.inits(), deadline_s=15)
    left = _groups(tmp_path)
    agent.start()
    wait_for("its end to be reported", lambda: "failed" in agent.plane.statuses(), deadline_s=15)

    end = next(report["termination"] for report in agent.plane.reports() if report["status"] == "failed")
    assert (end["termination_class"], end["memory_cap_exceeded"], end["memory_usage_bytes"]) == ("oom", True, None)
    assert end["memory_peak_bytes"] >= 0.9 * end["memory_limit_bytes"] == 0.9 * 64 * 2**20
    wait_for("its groups to be gone", lambda: left.isdisjoint(_groups(tmp_path)), deadline_s=5)


def test_an_agent_killed_again_and_again_starts_nothing_twice(agent: AgentProcess) -> None:
    """Wherever SIGKILL hits, there is never a second workload for one instance, and in the end there is one."""
    agent.plane.want(planned(1, *SERVES))
    for delay_s in (0.0, 0.35, 0.45, 0.5, 0.55, 0.6, 0.7):
        _at_most_one(agent, delay_s)
        agent.kill()
        agent.start()
    wait_for("the instance to be ready", lambda: agent.plane.statuses()[-1:] == ["ready"], deadline_s=15)
    assert len(agent.inits()) == 1


def test_console_lines_are_counted_once_over_a_kill(agent: AgentProcess) -> None:
    """The metric of a restarted agent holds exactly what the workload has written, before, during and after the kill."""
    code = (
        LISTEN + "import time\nfor n in range(3000): print(n, flush=True); time.sleep(0.001)\nwhile True: s.accept()[0].close()"
    )
    agent.plane.want(planned(1, "python", "-c", code, health={"type": "tcp"}))
    wait_for("the first lines", lambda: _metric(agent, "workload_log_lines_total", 'stream="stdout"') > 100, deadline_s=15)

    agent.kill()
    agent.start()

    wait_for("every line", lambda: _metric(agent, "workload_log_lines_total", 'stream="stdout"') == 3000, deadline_s=15)
    assert _metric(agent, "workload_log_bytes_total") == sum(len(f"{n}\n") for n in range(3000))


def _groups(home: Path) -> set[Path]:
    """The control groups of this node's boots."""
    agent = home / "agent-1"
    return {path for root in Hierarchies.mounted().all() for path in root.glob(f"{group_name(agent)}/boot_*")}


def _states(beat: dict[str, Any]) -> list[str]:
    return sorted(instance["state"] for instance in beat.get("instances", {}).values())


def _at_most_one(agent: AgentProcess, seconds: float) -> None:
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert len(agent.inits()) <= 1
        time.sleep(0.02)


def _metric(agent: AgentProcess, name: str, label: str = "") -> float:
    try:
        address = (agent.home / "run" / "agent-1.admin").read_text()
        lines = httpx.get(f"http://{address}/metrics", timeout=2).text.splitlines()
    except (OSError, httpx.HTTPError):
        return -1.0
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name) and label in line)
