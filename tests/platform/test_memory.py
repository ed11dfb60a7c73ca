"""An app that outgrows its memory on the running platform: killed for real, and every tool says why."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx
import pytest

from miniplatform.launcher import wait_for
from tests.platform.conftest import APPS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CAP = 96 * 2**20


@pytest.fixture(scope="module")
def outgrown(shared: Any) -> Any:
    """The shared platform after the hungry app was ended once; with its tenant and the end as described."""
    tenant = shared.tenant("memory", app="hungry")
    manifest = shared.platform.state / "hungry.toml"
    manifest.write_text((APPS / "hungry.toml").read_text())
    tenant.json("deploy", str(manifest))
    [placed] = tenant.json("describe", "env", "prod")["running"]
    described = partial(tenant.json, "describe", "instance", placed["instance_id"])
    wait_for("the end of the instance", lambda: (described()["termination"] or {}).get("sampled_at"), deadline_s=60)
    return shared, tenant, described()


def test_describe_shows_the_cap_the_peak_and_the_release_that_set_it(outgrown: Any) -> None:
    """Class oom, what decided, a peak of at least nine tenths of the cap, and where the cap came from (DBG-3-02, -03)."""
    _, tenant, found = outgrown
    end = found["termination"]
    assert (end["termination_class"], end["reason_code"], end["exit_code"]) == ("oom", "oom_killed", -9)
    assert end["reason_detail"].partition(": ")[0] == "memory_limit_exceeded"
    assert end["reason_detail"].partition(": ")[2] in ("cgroup_v1", "cgroup_v2", "rss_watcher")
    assert (end["memory_limit_bytes"], end["memory_cap_exceeded"]) == (CAP, True)
    assert 0.9 * CAP <= end["memory_peak_bytes"] <= CAP + 2 * 2**20
    assert 0 < end["memory_usage_bytes"] <= end["memory_peak_bytes"]
    assert (
        end["release_id"]
        == found["desired"]["release_id"]
        == tenant.json("describe", "env", "prod")["desired"][0]["release_id"]
    )


def test_the_agents_line_and_counter_say_the_same(outgrown: Any) -> None:
    """``instance.terminated`` carries the figures (DBG-3-03) and ``agent_instance_oom_kills_total`` counts the end."""
    shared, _, found = outgrown
    agent = found["current"]["node_name"]
    lines = [json.loads(line) for line in shared.log_lines(agent)]
    ended = [line for line in lines if line.get("event") == "instance.terminated" and line["instance_id"] == found["id"]]
    assert {line["termination_class"] for line in ended} == {"oom"}
    assert all(line["memory_limit_bytes"] == CAP and line["memory_peak_bytes"] >= 0.9 * CAP for line in ended)
    assert {"memory_usage_bytes", "memory_cap_exceeded", "cpu_throttled_seconds", "cpu_pressure_ratio", "sampled_at"} <= set(
        ended[0]
    )
    exposed = httpx.get(f"{shared.platform.admin(agent)}/metrics", timeout=5).text.splitlines()
    [kills] = [
        line for line in exposed if line.startswith("agent_instance_oom_kills_total{") and 'process_type="hungry"' in line
    ]
    assert float(kills.rpartition(" ")[2]) >= len(ended)
