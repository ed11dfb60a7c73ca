"""Whatever the demo can break, ``why env`` names the cause within 15 s, and says healthy once it is repaired."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from miniplatform.demo import FAULTS
from miniplatform.demo.fault import EXPLAINED_WITHIN_S, endure
from miniplatform.demo.stage import Stage
from miniplatform.launcher import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LINK_OF = {
    "crash": "ready",
    "agent-down": "ready|allocated",
    "oom": "ready",
    "no-route": "routed",
    "lag": "desired",
    "bad-config": "applied",
}
BLAMED = {
    "crash": "release_id: rel_",
    "oom": "release_id: none -> rel_",
    "no-route": "deleted hostname=web.example",
    "bad-config": "created hostname=web.example",
}
"""What must be among the changes before; the other faults are nobody's change to the env."""


@pytest.fixture(scope="module")
def stage(fresh_platform: Callable[..., Any]) -> Iterator[Stage]:
    """A platform of this module's own that serves the web app; each fault is repaired before the next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with fresh_platform() as running:
        tenant = running.tenant("acme")
        stage = Stage(running.platform, context=tenant.context, port=port)
        done = tenant.run("deploy", str(stage.manifest("web")))
        assert done.returncode == 0, done.stderr
        wait_for("a healthy env", lambda: stage.why()["is_healthy"], deadline_s=60)
        yield stage


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_and_its_repair_is_noticed(stage: Stage, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The cause in at most 15 s at the right link, with what was changed before it; healthy and serving afterwards."""
    endure(stage, FAULTS[name]())
    told = capsys.readouterr().out
    took = re.search(r"waiting for the reason, at most 15 s.*\n\[.*ok after ([\d.]+) s", told)
    assert took
    assert float(took[1]) <= EXPLAINED_WITHIN_S
    assert re.search(rf"verdict: \w+ at ({LINK_OF[name]})\n", told), told
    assert any(f"reason: {reason}" in told for reason in FAULTS[name].reasons)
    changed = told.partition("changed before (")[2].partition("    try")[0]
    assert BLAMED.get(name, "") in changed, told
    assert not changed or ", by service_principal sp_" in changed
    assert told.count("verdict: healthy") == 1
    if name == "oom":
        assert re.search(r"a peak of [\d.]+ MiB\s+against\s+the\s+cap of 64.0 MiB that rel_\w+ sets", told), told
    wait_for("an answer through the edge", lambda: _serves(stage.port), deadline_s=20)


def test_what_was_done_to_the_env_can_be_read_as_changes(stage: Stage) -> None:
    """Routes that went, replicas before and after, releases before and after: each with who and when (DBG-4-02)."""
    found = stage.json("changes", "--env", "prod", "--since", "1h")
    assert not found["is_cut"]
    told = [(c["resource_type"], c["action"], c["field"], c["old"], c["new"]) for c in found["changes"]]
    assert ("env", "changed", "web.replicas", 2, 3) in told
    assert any(kind == "route" and action == "deleted" and old["hostname"] == "web.example" for kind, action, _, old, _ in told)
    releases = [(old, new) for _, _, field, old, new in told if field == "release_id"]
    assert releases[0][0] is None
    assert all(before[1] == after[0] for before, after in pairwise(releases))
    assert all(change["at"] and change["actor_id"] for change in found["changes"])


def test_an_operator_sees_each_edge(stage: Stage) -> None:
    """Applied event id, result and backends, on live data (DBG-2-06); a tenant is refused."""
    with stage.platform.operator() as client:
        found = client.get("/_debug/edges").json()
    (edge,) = found["edges"]
    assert (edge["name"], edge["state"], edge["last_result"], edge["refused"]) == ("edge-1", "ok", "success", [])
    assert edge["applied_event_id"] > 0
    assert {backend["state"] for backend in edge["backends"]} == {"reachable"}


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=2).is_success
    except httpx.HTTPError:
        return False
