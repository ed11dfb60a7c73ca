"""The life of an instance can be read from the log: from its allocation to its end, with the reason for it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from miniplatform.launcher import wait_for


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_replaced_instance_tells_its_life_and_that_it_was_an_upgrade(shared: Any) -> None:
    """Allocated, booting, ready, stopped in this order; the class follows from rollout_replace (DBG-3-01, DBG-3-02)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        manifest = shared.manifest(probe.getsockname()[1], replicas=1, name="life")
    tenant = shared.tenant("timeline", app="life")
    assert tenant.run("deploy", str(manifest)).returncode == 0
    (first,) = tenant.json("describe", "env", "prod")["running"]
    manifest.write_text(manifest.read_text().replace('GREETING = "hello"', 'GREETING = "good day"'))
    assert tenant.run("deploy", str(manifest)).returncode == 0

    def told() -> dict[str, Any]:
        found: dict[str, Any] = tenant.json("describe", "instance", first["instance_id"])
        return found

    wait_for("the old instance to end", lambda: told()["current"]["state"] == "stopped", deadline_s=40)
    found = told()
    life = [moment["what"] for moment in found["timeline"]]
    milestones = ["allocated", "booting", "ready", "desired draining", "desired stopped", "stopped"]
    assert [what for what in life if what in milestones] == milestones, life
    assert found["convergence"]["verdict"] == "ended"
    assert found["desired"]["reason"] == "rollout_replace"
    assert found["termination"]["termination_class"] == "upgrade"
    assert found["timeline"][-1]["termination_class"] == "upgrade"
