"""The agent brings a node to its plan, tells how everything went, and loses neither a workload nor a report."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from miniplatform.agent.caps import Watched
from miniplatform.agent.cgroups import Hierarchies, remove_groups
from miniplatform.agent.main import main
from miniplatform.config import Timings
from miniplatform.process import Arguments, Refusal
from tests.miniplatform.fake_control_plane import DEPLOY_TRACE, NODE_ID, TOKEN, FakeControlPlane, planned
from tests.miniplatform.guest_inits import guest_inits

pytestmark = pytest.mark.slow

LISTEN = (
    "import os,socket; s = socket.create_server((os.environ['ADDRESS'], int(os.environ['PORT']))); print('up', flush=True)\n"
)
SERVES = ("python", "-c", LISTEN + "while True: s.accept()[0].close()")
TIMINGS = Timings(
    heartbeat_s=0.05, agent_period_s=0.05, health_interval_s=0.05, health_timeout_s=0.5, start_timeout_s=5.0,
    drain_s=2.0, backoff_base_s=0.01, silent_after_s=1.0,
)  # fmt: skip


@dataclass
class Site:
    """A node's home, its control plane, and the agents that run on it one after the other."""

    home: Path
    plane: FakeControlPlane
    timings: Timings = TIMINGS
    agents: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def agent(self, timings: Timings | None = None) -> AsyncIterator[None]:
        """Run an agent inside the block, and tell it to stop at its end."""
        identity = self.home / "identity.json"
        identity.write_text(json.dumps({"node_id": NODE_ID, "token": TOKEN, "name": "agent-1"}))
        arguments = Arguments(component="agent", name="agent-1", state=self.home, api=self.plane.url, identity=identity)
        arguments.home.mkdir(exist_ok=True)
        running = asyncio.create_task(main(arguments, timings or self.timings))
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait([running], timeout=5)
        assert running.cancelled(), running

    def workloads(self) -> list[psutil.Process]:
        """Every guest init of this node that runs."""
        return guest_inits(self.home)


async def until(condition: Callable[[], Any], *, within_s: float = 10.0) -> Any:
    """Wait for a condition and return what it says."""
    async with asyncio.timeout(within_s):
        while not (value := condition()):
            await asyncio.sleep(0.005)
        return value


@pytest.fixture
def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A node with a control plane; whatever still runs afterwards is killed."""
    plane = FakeControlPlane()
    plane.up()
    made = Site(tmp_path, plane)
    yield made  # type: ignore[misc]  # a generator fixture
    plane.down()
    for process in made.workloads():
        process.kill()
        process.wait(5)
    remove_groups(tmp_path / "agent-1", Hierarchies.mounted())


def _all_ready(beat: dict[str, Any], count: int) -> bool:
    return [instance["state"] for instance in beat["instances"].values()] == ["ready"] * count


def ended(report: dict[str, Any]) -> dict[str, Any]:
    """Why a report says the boot ended, without what was measured before."""
    told = ("termination_class", "reason_code", "reason_detail", "exit_code")
    return {key: value for key, value in (report["termination"] or {}).items() if key in told and value is not None}


async def test_a_wanted_instance_is_booted_and_reported_within_the_trace_that_asked_for_it(site: Site) -> None:
    """An instance goes from booting to ready, and its reports belong to the deploy's trace."""
    one = planned(1, *SERVES)
    site.plane.want(one)
    async with site.agent():
        await until(lambda: site.plane.statuses() == ["booting", "ready"])
        beat = await until(
            lambda: (b := site.plane.heartbeat()).get("instances", {}).get(one.instance_id, {}).get("state") == "ready" and b
        )
        told = [t for t in site.plane.told if t.path.endswith("/status")]
        assert {t.headers["traceparent"].split("-")[1] for t in told} == {DEPLOY_TRACE}
        assert all(t.headers["x-request-id"].startswith("req_") for t in told)
        ready = told[-1].body
        assert ready == {
            "instance_id": one.instance_id, "boot_id": told[0].body["boot_id"], "status": "ready", "address": "127.0.0.1",
            "port": ready["port"], "restarts": 0, "is_final": False, "termination": None,
        }  # fmt: skip
        assert beat["plan_id"] == site.plane.plan.plan_id
        assert beat["cursor_event_id"] == site.plane.plan.cursor_event_id
        shown = beat["instances"][one.instance_id]
        assert shown["health"]["last_result"] == "pass"
        assert psutil.Process(shown["pid"]).ppid() == site.workloads()[0].pid


async def test_a_crashing_instance_is_restarted_and_then_given_up(site: Site) -> None:
    """After the allowed restarts in the window the slot is final, and nothing is booted any more."""
    site.plane.want(planned(1, "python", "-c", "raise SystemExit(1)"))
    async with site.agent(Timings(agent_period_s=0.05, backoff_base_s=0.01, restarts=2)):
        await until(lambda: site.plane.statuses() == ["booting", "failed"] * 3)
        await asyncio.sleep(0.2)
        assert site.plane.statuses() == ["booting", "failed"] * 3

    failed = site.plane.reports()[1::2]
    assert [(report["restarts"], report["is_final"]) for report in failed] == [(0, False), (1, False), (2, True)]
    assert [ended(report) for report in failed] == [
        {
            "termination_class": "crash", "reason_code": "crash_loop_backoff", "reason_detail": "exited with code 1",
            "exit_code": 1,
        }
    ] * 3  # fmt: skip
    assert len({report["boot_id"] for report in failed}) == 3


@pytest.mark.parametrize(
    ("command", "timings", "wanted"),
    [
        (
            ("no-such-command",),
            TIMINGS,
            {
                "termination_class": "boot_failure", "reason_code": "firecracker_start_failed",
                "reason_detail": "could not be started: 'no-such-command': No such file or directory",
            },
        ),
        (
            ("sleep", "60"),
            Timings(agent_period_s=0.05, start_timeout_s=0.3, drain_s=1.0),
            {
                "termination_class": "boot_failure", "reason_code": "healthcheck_failed", "exit_code": -15,
                "reason_detail": "no health check passed within 0.3 s: refused",
            },
        ),
        (
            ("python", "-c", LISTEN + "s.accept()[0].close(); s.close(); import time; time.sleep(60)"),
            TIMINGS,
            {
                "termination_class": "crash", "reason_code": "healthcheck_failed", "exit_code": -15,
                "reason_detail": "3 health checks failed in a row: refused",
            },
        ),
    ],
    ids=["command not found", "never healthy", "sick after ready"],
)  # fmt: skip
async def test_a_failure_has_its_reason(site: Site, command: tuple[str, ...], timings: Timings, wanted: dict[str, Any]) -> None:
    """Every way to fail is reported with its code, its class and a detail for a person."""
    site.plane.want(planned(1, *command))
    async with site.agent(timings):
        await until(lambda: "failed" in site.plane.statuses())
    report = next(report for report in site.plane.reports() if report["status"] == "failed")
    assert ended(report) == wanted


@pytest.mark.parametrize("way", ["as chosen", "rss_watcher"])
async def test_what_outgrows_its_memory_is_reported_with_its_last_figures(
    site: Site, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Class oom, who decided, the cap, the peak and the last sample, with control groups and without (DBG-3-02, DBG-3-03)."""
    if way == "rss_watcher":
        monkeypatch.setattr("miniplatform.agent.main.choose", lambda *_: Watched())
    cap = 64 * 2**20
    hungry = LISTEN + "import time; kept = []\nwhile True: kept.append(b'x' * 2**20); time.sleep(0.04)"
    site.plane.want(planned(1, "python", "-c", hungry, memory_bytes=cap))
    async with site.agent():
        await until(lambda: "failed" in site.plane.statuses(), within_s=20)
    end = next(report["termination"] for report in site.plane.reports() if report["status"] == "failed")

    decided_by = end["reason_detail"].removeprefix("memory_limit_exceeded: ")
    assert decided_by in (("rss_watcher",) if way == "rss_watcher" else ("cgroup_v1", "cgroup_v2", "rss_watcher"))
    assert (end["termination_class"], end["reason_code"], end["exit_code"]) == ("oom", "oom_killed", -9)
    assert (end["memory_limit_bytes"], end["memory_cap_exceeded"]) == (cap, True)
    assert 0.9 * cap <= end["memory_peak_bytes"] <= cap + 2 * 2**20
    assert 0 < end["memory_usage_bytes"] <= end["memory_peak_bytes"]
    assert end["sampled_at"]


STOPPED_FOR = {
    "scale_down": {"termination_class": "scale_down", "reason_code": ""},
    "rollout_replace": {"termination_class": "upgrade", "reason_code": ""},
    "node_offline": {"termination_class": "node_lost", "reason_code": ""},
    "node_draining": {"termination_class": "operator_action", "reason_code": "node_draining"},
    "terminated_by_operator": {"termination_class": "operator_action", "reason_code": "terminated_by_operator"},
}


async def test_an_instance_drains_and_stops_for_the_reason_it_was_asked_to(site: Site) -> None:
    """Draining runs on, stopped ends the workload, and the class follows from why it was asked for."""
    numbered = list(enumerate(STOPPED_FOR, start=1))
    site.plane.want(*(planned(number, *SERVES) for number, _ in numbered))
    async with site.agent():
        await until(lambda: site.plane.statuses().count("ready") == 5)
        site.plane.want(*(planned(number, *SERVES, state="draining", reason=reason) for number, reason in numbered))
        await until(lambda: site.plane.statuses().count("draining") == 5)
        assert len(site.workloads()) == 5
        site.plane.want(*(planned(number, *SERVES, state="stopped", reason=reason) for number, reason in numbered))
        await until(lambda: site.plane.statuses().count("stopped") == 5)
        assert site.workloads() == []
    for number, reason in numbered:
        reports = site.plane.reports(planned(number).instance_id)
        assert [report["status"] for report in reports] == ["booting", "ready", "draining", "stopped"]
        assert ended(reports[-1]) == {**STOPPED_FOR[reason], "reason_detail": "killed by signal 15", "exit_code": -15}


async def test_an_instance_that_left_the_plan_is_stopped_and_forgotten(site: Site) -> None:
    """The plan is the whole truth: what is not in it does not run, and leaves no files."""
    site.plane.want(planned(1, *SERVES), planned(2, *SERVES))
    async with site.agent():
        await until(lambda: site.plane.statuses().count("ready") == 2)
        site.plane.want(planned(2, *SERVES))
        await until(lambda: site.plane.statuses()[-1] == "stopped")
        await until(lambda: len(list((site.home / "agent-1" / "boots").iterdir())) == 1)
        assert len(site.workloads()) == 1
        assert set(site.plane.heartbeat()["instances"]) <= {planned(1).instance_id, planned(2).instance_id}
    assert site.plane.reports()[-1]["instance_id"] == planned(1).instance_id


async def test_an_instance_that_never_ran_here_is_reported_stopped(site: Site) -> None:
    """A plan that asks to stop what this node does not have is done at once."""
    site.plane.want(planned(1, *SERVES, state="stopped", reason="scale_down"), planned(2, *SERVES, state="draining"))
    async with site.agent():
        await until(lambda: sorted(site.plane.statuses()) == ["stopped", "stopped"])
    assert [(r["boot_id"], r["termination"]) for r in site.plane.reports()] == [("", None), ("", None)]


async def test_a_sick_neighbour_holds_up_nobody(site: Site) -> None:
    """An instance that never becomes healthy does not delay another one's boot or end."""
    site.plane.want(planned(1, "sleep", "60"), planned(2, *SERVES))
    async with site.agent():
        two = planned(2).instance_id
        await until(lambda: site.plane.statuses(two) == ["booting", "ready"], within_s=3)
        site.plane.want(planned(1, "sleep", "60"), planned(2, *SERVES, state="stopped", reason="scale_down"))
        await until(lambda: site.plane.statuses(two)[2:] == ["stopped"], within_s=3)
        assert site.plane.statuses(planned(1).instance_id) == ["booting"]


async def test_what_happens_while_the_control_plane_is_away_is_reported_later_in_order(site: Site) -> None:
    """Reports wait in the state, also over a restart of the agent, and arrive in the order things happened."""
    one = planned(1, *SERVES)
    site.plane.want(one)
    async with site.agent():
        beat = await until(
            lambda: (b := site.plane.heartbeat()).get("instances", {}).get(one.instance_id, {}).get("state") == "ready" and b
        )
        site.plane.down()
        os.kill(beat["instances"][one.instance_id]["pid"], signal.SIGKILL)
        before = site.workloads()
        await until(lambda: (now := site.workloads()) and now != before)
    async with site.agent():
        await until(lambda: len(site.workloads()) == 1)
        site.plane.up()
        await until(lambda: site.plane.statuses() == ["booting", "ready", "failed", "booting", "ready"])
    failed = site.plane.reports()[2]
    assert ended(failed) == {
        "termination_class": "crash", "reason_code": "crash_loop_backoff", "reason_detail": "killed by signal 9",
        "exit_code": -9,
    }  # fmt: skip


async def test_an_agent_that_is_told_to_stop_leaves_its_workloads_to_the_next_one(site: Site) -> None:
    """A restarted agent follows its last plan without the control plane, and adopts instead of booting again."""
    site.plane.want(planned(1, *SERVES))
    async with site.agent():
        await until(lambda: site.plane.statuses() == ["booting", "ready"])
    before = site.workloads()
    assert len(before) == 1
    site.plane.down()
    async with site.agent():
        await asyncio.sleep(0.2)
        assert site.workloads() == before
        site.plane.want()
        site.plane.up()
        await until(lambda: site.plane.statuses()[2:] == ["stopped"])
    assert site.workloads() == []


async def test_a_report_that_is_refused_for_good_does_not_hold_up_the_rest(site: Site) -> None:
    """A report the control plane will never take is given up; one that fails for now is kept."""
    site.plane.want(planned(1, *SERVES), planned(2, *SERVES))
    site.plane.answers[f"{planned(1).instance_id}/status"] = 404
    site.plane.answers[f"{planned(2).instance_id}/status"] = 500
    async with site.agent():
        await until(lambda: site.plane.heartbeat() and _all_ready(site.plane.heartbeat(), 2))
        assert site.plane.statuses() == []
        del site.plane.answers[f"{planned(2).instance_id}/status"]
        await until(lambda: site.plane.statuses() == ["booting", "ready"])
    assert {report["instance_id"] for report in site.plane.reports()} == {planned(2).instance_id}


async def test_two_agents_do_not_share_a_node(site: Site) -> None:
    """The second agent in one home is refused with a sentence, before it touches anything."""
    async with site.agent():
        await until(site.plane.heartbeat)
        identity = site.home / "identity.json"
        second = Arguments(component="agent", name="agent-1", state=site.home, api=site.plane.url, identity=identity)
        with pytest.raises(Refusal) as refused:
            await main(second, TIMINGS)
    assert str(refused.value) == f"an agent already runs in {str(site.home / 'agent-1')!r}; stop it first"
