"""Any one process may be killed: the others say what they lack, and with it back the platform converges."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from miniplatform.launcher import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# What each survivor must name while the process is away: (process, check).
LACKED = {
    "control-plane": [("agent-1", "heartbeat_ok"), ("agent-2", "heartbeat_ok"), ("edge-1", "config_stream")],
    "projector": [("control-plane", "projections")],
    "scheduler": [("control-plane", "scheduler")],
    "agent-1": [("control-plane", "consumers_reporting")],
    "edge-1": [("control-plane", "consumers_reporting")],
}


@pytest.fixture(scope="module")
def served(fresh_platform: Callable[..., Any]) -> Iterator[Any]:
    """A platform of this module's own, with an app that serves."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with fresh_platform(MINI_SILENT_AFTER_S="3") as running:
        tenant = running.tenant("acme")
        tenant.json("deploy", str(running.manifest(port)))
        wait_for("an answer through the edge", lambda: _serves(port), deadline_s=30)
        yield running, tenant, port


@pytest.mark.parametrize("victim", LACKED)
def test_a_killed_process_is_missed_and_comes_back(served: Any, victim: str) -> None:
    """After SIGKILL the others name what they lack; after the restart a scale-up converges and nothing is applied twice."""
    running, tenant, port = served
    platform = running.platform
    before = _checkpoints(platform)
    platform.kill(victim)
    for process, check in LACKED[victim]:
        wait_for(f"{process} to miss {victim} in {check}", partial(_fails, platform, process, check), deadline_s=20)
    if victim not in ("edge-1", "agent-1"):
        assert _serves(port), "traffic stopped although neither the edge nor a workload was touched"
    platform.start(victim)
    wait_for(f"{victim} to be ready again", lambda: _status(platform, victim) == "ready", deadline_s=40)
    for process, check in LACKED[victim]:
        wait_for(f"{process} to be content with {check}", partial(_is_content, platform, process, check), deadline_s=20)

    replicas = 3 if tenant.json("describe", "env", "prod")["desired"][0]["replicas"] != 3 else 2
    done = tenant.run("scale", f"web={replicas}")
    assert done.returncode == 0, done.stderr
    wait_for(f"{replicas} ready instances", lambda: _ready(tenant) == replicas, deadline_s=60)
    wait_for("an answer through the edge", lambda: _serves(port), deadline_s=20)

    after = _checkpoints(platform)
    assert all(after[name] >= position for name, position in before.items()), "a checkpoint went back"
    applied = Counter(
        (line["projection"], line["event_id"])
        for line in map(json.loads, running.log_lines("projector"))
        if line.get("event") == "projection.applied"
    )
    assert applied
    assert [key for key, times in applied.items() if times > 1] == [], "an event was applied twice"


def test_no_event_is_lost_or_numbered_twice(served: Any) -> None:
    """Every aggregate's sequence runs 1, 2, 3 … without a gap, after all those kills."""
    running, _, _ = served
    with psycopg.connect(running.platform.database.url) as connection:
        gaps = connection.execute(
            "SELECT aggregate_id FROM events GROUP BY aggregate_id"
            " HAVING max(aggregate_seq) <> count(*) OR min(aggregate_seq) <> 1"
        ).fetchall()
    assert gaps == []


def _checkpoints(platform: Any) -> dict[str, int]:
    with psycopg.connect(platform.database.url) as connection:
        rows = connection.execute("SELECT projection_name, last_applied_event_id FROM projection_checkpoints").fetchall()
    return dict(rows)


def _fails(platform: Any, process: str, check: str) -> bool:
    found = platform.readiness(process).get("checks", {}).get(check, {})
    return found.get("status") in ("failing", "unknown") and bool(found.get("reason"))


def _is_content(platform: Any, process: str, check: str) -> bool:
    return not _fails(platform, process, check)


def _status(platform: Any, process: str) -> str:
    return str(platform.readiness(process).get("status"))


def _ready(tenant: Any) -> int:
    return sum(1 for instance in tenant.json("describe", "env", "prod")["running"] if instance["state"] == "ready")


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=2).is_success
    except httpx.HTTPError:
        return False
