"""A real Prometheus holds no more of the running platform than was proven for a platform of its size, whatever happens there.

The proof speaks of what is there at once. A head keeps what has gone until it is cut, so a process that was started again
and listens elsewhere counts there once for each time it was started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest

from miniplatform.launcher import wait_for
from obslib.budget import PlatformBudget, PlatformSize, platform_budget
from obslib.catalog import Histogram
from obslib.catalog.platform import PLATFORM

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ORGS = ("acme", "globex", "initech")
STRANGE = ("", "v1/orgs/..%2fetc", "v1/orgs/acme/apps/web?x=1", "wp-login.php", "v1/orgs/%00", "a" * 300)
SOME = {"http_requests_total", "projection_lag_events", "scheduler_loop_runs_total", "agent_instances",
        "edge_routes_loaded", "loop_healthy", "health_ready"}  # fmt: skip
RESTARTED = ("projector", "agent-1")


@pytest.fixture(scope="module")
def running(fresh_platform: Callable[..., Any], free_ports: Callable[[], int]) -> Iterator[Any]:
    """A platform of this module's own with three tenants, each with an app, and with clients that ask for anything."""
    with fresh_platform() as platform:
        for org in ORGS:
            platform.tenant(org).json("deploy", str(platform.manifest(free_ports())))
        with platform.platform.operator() as client:
            for number in range(200):
                client.request("BREW" if number % 3 else "GET", f"/{STRANGE[number % len(STRANGE)]}{number}")
        yield platform


@pytest.fixture(scope="module")
def prometheus(
    running: Any, prometheus_over: Callable[..., Any], need: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A real Prometheus over it, with the rendered limits and rules, that scrapes each second and itself not at all."""
    with prometheus_over(running.platform, need("prometheus"), tmp_path_factory.mktemp("series"), shorten=15) as server:
        yield server


def proven(platform: Any) -> PlatformBudget:
    """The budget of a platform of this size: as many orgs, envs and routes as were ever made here."""
    made = "SELECT count(*) FROM events WHERE event_type = %s"
    with closing(psycopg.connect(platform.database.url)) as connection:
        orgs, envs, routes = (connection.execute(made, [f"{thing}.created"]).fetchone()[0] for thing in ("org", "env", "route"))
    agents = sum(component_of(name) == "agent" for name in platform.names())
    edges = sum(component_of(name) == "edge" for name in platform.names())
    return platform_budget(PLATFORM, PlatformSize(nodes=agents, edges=edges, orgs=orgs, envs=envs, routes=routes))


def component_of(name: str) -> str:
    """The component of which ``name`` is a process."""
    return name.rstrip("0123456789").removesuffix("-")


def at_once(prometheus: Any) -> int:
    """Series that have a sample now."""
    return int(prometheus.query('count({__name__!=""})')[0]["value"][1])


def passed(prometheus: Any, budget: PlatformBudget) -> list[str]:
    """Where a real Prometheus has more series of a family from one process than was proven of it."""
    most = {(t.component, family.family): family.series for t in budget.targets for family in t.families}
    histograms = {family.name for family in PLATFORM.of(Histogram)}
    seen: Counter[tuple[str, str, str]] = Counter()
    for item in prometheus.query('count by (job, instance, __name__) ({job!="", __name__!~"ALERTS.*"})'):
        name = item["metric"]["__name__"]
        whole = name.rsplit("_", 1)[0]
        key = (item["metric"]["job"], item["metric"]["instance"], whole if whole in histograms else name)
        seen[key] += int(item["value"][1])
    return [f"{job}: {family} {count}" for (job, _, family), count in seen.items() if count > most[job, family]]


def test_no_process_has_more_of_a_family_than_was_proven(running: Any, prometheus: Any) -> None:
    """Of every family and from every process, a real Prometheus has at most as many series as the budget says."""
    assert len(prometheus.query("count by (job, instance) (build_info)")) == len(running.platform.names())
    assert passed(prometheus, proven(running.platform)) == []


def test_mutant_a_proof_that_forgets_the_infinite_bucket_is_caught(
    running: Any, prometheus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one line too few for a histogram, the real Prometheus has more than was proven."""
    monkeypatch.setattr(Histogram, "samples_per_series", property(lambda self: len(self.buckets) + 2))
    assert "scheduler: scheduler_loop_duration_seconds 14" in passed(prometheus, proven(running.platform))


def test_a_real_head_holds_no_more_than_was_proven(running: Any, prometheus: Any) -> None:
    """With all five components scraped, the series there are and all that the head has are at most what was proven."""
    seen = prometheus.query('count by (component, __name__) ({component!=""})')
    assert {item["metric"]["component"] for item in seen} == set(PLATFORM.components)
    assert {item["metric"]["__name__"] for item in seen} >= SOME
    budget = proven(running.platform)
    assert 1_000 < at_once(prometheus) <= prometheus.head_series() <= budget.series <= budget.ceiling


def test_what_comes_and_goes_stays_within_the_proof(running: Any, prometheus: Any, free_ports: Callable[[], int]) -> None:
    """Apps that come and processes that start again: what is there at once is at most proven, family by family too.

    The head still holds what has gone: of each process that was started again, at most what one of its component may have.
    """
    platform = running.platform
    for org in ORGS:
        tenant = running.tenant(org, "shop")
        tenant.json("deploy", str(running.manifest(free_ports(), replicas=1, name="shop")))
    for name in RESTARTED:
        platform.kill(name)
        platform.start(name)
        wait_for(f"{name} to be ready again", partial(platform.is_ready, name), deadline_s=60)
    prometheus.aim()
    wait_for("every process to be scraped where it listens now", prometheus.sees_all, deadline_s=60, every_s=0.3)
    budget = proven(platform)
    again = {target.component: target.series for target in budget.targets}
    assert prometheus.head_series() <= budget.series + sum(again[component_of(name)] for name in RESTARTED)
    wait_for("what has gone to be stale", lambda: at_once(prometheus) <= budget.series, deadline_s=60)
    assert passed(prometheus, budget) == []
