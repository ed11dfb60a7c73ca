"""The alerts fire on the running platform when the real process is gone or stuck, and resolve after the repair.

A real Prometheus evaluates the rendered rules; every wait is shortened by the one option and nothing else is changed.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from miniplatform.launcher import wait_for
from obslib.catalog import Alert
from obslib.catalog.platform import PLATFORM, alerts, dashboards

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FASTER = 30
BURST = 5_500


@dataclass
class Watched:
    """A platform of this module's own and the Prometheus over it."""

    platform: Any
    prometheus: Any

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A process that is there and does nothing, as one that hangs."""
        pid = self.platform.find(name).pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        """A process that is gone; it is started again at the end, and scraped where it listens then."""
        self.platform.kill(name)
        try:
            yield
        finally:
            self.platform.start(name)
            wait_for(f"{name} to be ready again", lambda: self.platform.is_ready(name), deadline_s=60)
            self.prometheus.aim()

    @contextmanager
    def stuck_projection(self) -> Iterator[None]:
        """A session that holds the checkpoint of ``nodes``, while more events arrive than the ticket's threshold."""
        url = self.platform.database.url
        with closing(psycopg.connect(url)) as holder:
            holder.execute("SELECT 1 FROM projection_checkpoints WHERE projection_name = 'nodes' FOR UPDATE")
            with psycopg.connect(url) as appender:
                appender.execute(
                    "INSERT INTO events (aggregate_type, aggregate_id, aggregate_seq, event_type, actor_type, actor_id,"
                    " request_id, payload) SELECT 'node', 'burst', seq, 'node.state_changed', 'system', 'test', 'burst',"
                    ' \'{"state": "active"}\' FROM generate_series(1, %s) AS seq',
                    [BURST],
                )
            yield


@pytest.fixture(scope="module")
def watched(
    fresh_platform: Callable[..., Any], prometheus_over: Callable[..., Any], need: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Watched]:  # fmt: skip
    """A platform with heartbeats as quick as its alerts."""
    program, directory = need("prometheus"), tmp_path_factory.mktemp("prometheus")
    with ExitStack() as stack:
        running = stack.enter_context(fresh_platform(MINI_HEARTBEAT_S="0.3"))
        server = stack.enter_context(prometheus_over(running.platform, program, directory, shorten=FASTER))
        yield Watched(running.platform, server)


CASES: dict[str, tuple[Alert, tuple[dict[str, str], ...], Callable[[Watched], Any]]] = {
    "the API is killed": (alerts.CONTROL_PLANE_API_DOWN, ({"severity": "page"},), lambda w: w.killed("control-plane")),
    "the scheduler hangs": (alerts.SCHEDULER_LOOP_STALLED, ({"severity": "page"},), lambda w: w.stopped("scheduler")),
    "a projection is stuck": (
        alerts.PROJECTION_LAG_HIGH, ({"severity": "ticket", "projection": "nodes"},), lambda w: w.stuck_projection()
    ),
    "the projector hangs": (
        alerts.PROJECTION_LAG_HIGH, ({"severity": "page", "reason": "unknown"},), lambda w: w.stopped("projector")
    ),
    "one node of three is killed": (
        alerts.AGENT_HEARTBEAT_MISSING, ({"severity": "ticket"}, {"severity": "page"}), lambda w: w.killed("agent-1")
    ),
}  # fmt: skip
"""What is broken: the alert, the labels of each of its rules that must fire, and how to break and mend it."""


@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_while_it_is_broken_and_resolves_after_the_repair(watched: Watched, case: str) -> None:
    """Quiet before, firing with its runbook and only the labels allowed while broken, quiet again once mended."""
    alert, wanted, broken = CASES[case]
    prometheus = watched.prometheus

    def is_firing() -> bool:
        found = prometheus.firing(alert.name)
        return all(any(each.items() <= labels.items() for labels in found) for each in wanted)

    wait_for("all to be well before", lambda: prometheus.sees_all() and not prometheus.firing(alert.name), deadline_s=60)
    with broken(watched):
        wait_for(f"{alert.name} to fire", is_firing, deadline_s=90, every_s=0.3)
        for labels in prometheus.firing(alert.name):
            assert set(labels) <= {"alertname", "severity", "component", "runbook", "node_id", "projection", "reason"}
            assert labels["component"] == alert.components[0]
            assert (Path(__file__).parents[2] / labels["runbook"]).is_file()
    wait_for(f"{alert.name} to resolve", lambda: not prometheus.firing(alert.name), deadline_s=90, every_s=0.3)


def test_nothing_fires_on_a_platform_that_is_well(watched: Watched) -> None:
    """With every window at a thirtieth, no rule mistakes health, or what this platform does not have, for a fault."""
    prometheus = watched.prometheus
    names = [alert.name for alert in PLATFORM.of(Alert)]
    wait_for("all to be well", prometheus.sees_all, deadline_s=60)
    wait_for("no alert", lambda: not any(prometheus.firing(name) for name in names), deadline_s=60, every_s=0.5)


def test_every_query_about_projections_returns_data(watched: Watched) -> None:
    """No panel stays empty, the one on errors not either once an event cannot be applied: every name and label is real."""
    with psycopg.connect(watched.platform.database.url) as appender:
        appender.execute(
            "INSERT INTO events (aggregate_type, aggregate_id, aggregate_seq, event_type, actor_type, actor_id, request_id)"
            " VALUES ('node', 'poison', 1, 'node.state_changed', 'system', 'test', 'poison')"
        )
    for panel in dashboards.PROJECTIONS.panels:
        asked = partial(watched.prometheus.query, panel.query.render())
        found = wait_for(f"data for {panel.title!r}", asked, deadline_s=60, every_s=0.3)
        for label in re.findall(r"{{(\w+)}}", panel.legend):
            assert all(label in item["metric"] for item in found), (panel.title, label)
