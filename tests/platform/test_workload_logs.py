"""From console to reader: a flood is limited and says so, an outage of 30 s and a killed agent cost no line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from miniplatform.launcher import AGENTS, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

APPS = Path(__file__).parents[2] / "examples" / "miniplatform" / "apps"
OUTAGE_S = 30.0
STEADY_PER_S = 100
LOUD_PER_S = 20_000


@dataclass
class Flooded:
    """What readers see after it all: the records of a process type, and the platform."""

    running: Any
    tenant: Any

    def records(self, process_type: str, **selects: Any) -> list[dict[str, Any]]:
        """The newest records, oldest first."""
        query = {"process_type": process_type, "tail_lines": 10_000, **selects}
        with self.tenant.http() as client:
            reply = client.get("/v1/orgs/acme/apps/flood/envs/prod/logs", params=query, timeout=60)
            reply.raise_for_status()
        found: list[dict[str, Any]] = reply.json()["items"]
        return found

    def newest(self, process_type: str) -> int:
        """The number of the newest line that a reader sees, -1 before there is one."""
        lines = [record for record in self.records(process_type, tail_lines=5) if "kind" not in record]
        return number(lines[-1]) if lines else -1

    def metric(self, name: str) -> dict[str, float]:
        """A family of the agents, summed over both, by what stands in braces."""
        found: dict[str, float] = {}
        for agent in AGENTS:
            for line in httpx.get(f"{self.running.platform.admin(agent)}/metrics", timeout=10).text.splitlines():
                sample, _, value = line.rpartition(" ")
                if sample.partition("{")[0] == name:
                    labels = sample.partition("{")[2]
                    found[labels] = found.get(labels, 0.0) + float(value)
        return found


def number(record: dict[str, Any]) -> int:
    """Which line of its workload this is."""
    return int(record["line"].split()[0])


@pytest.fixture(scope="module")
def flooded(fresh_platform: Callable[..., Any]) -> Iterator[Flooded]:
    """One workload writes at its ease, another without end; in between the control plane was away, and both agents died."""
    with fresh_platform() as running:
        platform, tenant = running.platform, running.tenant("acme", app="flood")
        tenant.json("deploy", str(manifest(platform.state)))
        flooded = Flooded(running, tenant)
        wait_for("both workloads to be read", lambda: flooded.newest("steady") > 0 < flooded.newest("loud"), deadline_s=60)

        platform.kill("control-plane")
        gone_at = time.monotonic()
        time.sleep(OUTAGE_S / 2)
        for agent in AGENTS:
            platform.kill(agent)
        time.sleep(2.0)  # they write on while nobody reads
        for agent in AGENTS:
            platform.start(agent)
        time.sleep(max(0.0, gone_at + OUTAGE_S - time.monotonic()))
        platform.start("control-plane")
        written = int(STEADY_PER_S * OUTAGE_S)
        wait_for("what was written meanwhile", lambda: answers(flooded) and flooded.newest("steady") > written, deadline_s=90)
        yield flooded


def manifest(state: Path) -> Path:
    """The flooding app twice: at an ordinary rate, and far beyond what an instance may write."""
    head, _, rest = (APPS / "flood.toml").read_text().partition("\n\n")
    steady = rest.replace("process.flood", "process.steady").replace(
        'FLOOD_HOSTILE = "1"', f'FLOOD_LINES_PER_S = "{STEADY_PER_S}"'
    )
    loud = rest.replace("process.flood", "process.loud") + f'FLOOD_LINES_PER_S = "{LOUD_PER_S}"\n'
    path = state / "flood.toml"
    path.write_text("\n\n".join((head, steady, loud)))
    return path


def answers(flooded: Flooded) -> bool:
    """Whether the control plane answers again."""
    try:
        flooded.newest("steady")
    except httpx.HTTPError:
        return False
    return True


def test_an_outage_and_a_killed_agent_cost_no_line(flooded: Flooded) -> None:
    """Every line of the steady workload is there, once and in order, without a gap."""
    records = flooded.records("steady")
    assert [record for record in records if "kind" in record] == []
    numbers = [number(record) for record in records]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) > STEADY_PER_S * OUTAGE_S
    assert len({record["boot_id"] for record in records}) == 1


def test_a_flood_is_limited_and_says_so(flooded: Flooded) -> None:
    """Between two lines of the loud workload that a reader sees, a marker counts those that are missing."""

    def limited() -> list[dict[str, Any]]:
        """The newest records once a limit is among them; the backlog of the outage comes first, and needs none."""
        records = flooded.records("loud")
        return records if any(record.get("reason") == "rate_limited" for record in records) else []

    records = wait_for("a marker of the limit among the newest records", limited, deadline_s=90, every_s=1.0)
    lines = 0
    expected: int | None = None
    is_torn = True  # what follows a part that nobody read may be the rest of a line
    for record in records:
        if "kind" in record:
            is_torn = not record["is_exact"] or record["kind"] == "lines_skipped"
            expected = None if is_torn or expected is None else expected + record["count"]
        elif is_torn:
            is_torn = False
        else:
            assert expected in (None, number(record)), record
            expected = number(record) + 1
            lines += 1
    assert lines > 1_000


def test_the_figures_of_the_flood_add_up(flooded: Flooded) -> None:
    """The agents count what they dropped and why, and account for every line; the platform's own log holds none of them."""
    dropped = flooded.metric("workload_log_dropped_lines_total")
    assert sum(n for labels, n in dropped.items() if "rate_limited" in labels) > LOUD_PER_S
    assert sum(flooded.metric("workload_log_forwarded_lines_total").values()) > STEADY_PER_S * OUTAGE_S
    assert set(flooded.metric("workload_log_unaccounted_lines").values()) == {0.0}
    told = [json.loads(line) for agent in AGENTS for line in flooded.running.log_lines(agent)]
    assert "workload_log.loss_began" in {line.get("event") for line in told}
    assert "workload_log.forward_failed" in {line.get("event") for line in told}
    assert not [line for line in told if "all work and no play" in json.dumps(line)]


def test_a_tail_goes_on_over_a_restart_of_the_control_plane(flooded: Flooded) -> None:
    """Killed and started again under a tail: the reader sees every number once and in order, and no end."""
    platform = flooded.running.platform
    asked = ["logs", "tail", "--json", "--process-type", "steady", "--tail-lines", "0", "--limit", "1500"]
    command = [str(Path(sys.executable).parent / "platform"), *asked]
    environment = {"PLATFORM_CONTEXT": str(flooded.tenant.context)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True) as tail:
        assert tail.stdout is not None
        told = [tail.stdout.readline() for _ in range(200)]
        platform.kill("control-plane")
        time.sleep(2.0)
        platform.start("control-plane")
        rest, said = tail.communicate(timeout=120)
    assert tail.returncode == 0, said
    assert "going on after position" in said
    records = [json.loads(line) for line in [*told, *rest.splitlines()]]
    assert [record for record in records if "kind" in record] == []
    numbers = [number(record) for record in records]
    assert numbers == list(range(numbers[0], numbers[0] + 1500))
