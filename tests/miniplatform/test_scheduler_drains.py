"""A node that is to be emptied is, one instance after the other, and says so when it cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from miniplatform.store.pool import Database
from tests.miniplatform.cluster import GIB, A, B, Cluster, Scheduler, event

pytestmark = pytest.mark.slow


@pytest.fixture
async def cluster(database: Database) -> AsyncIterator[Cluster]:
    """A cluster on an empty log; a test enrols its nodes."""
    cluster = Cluster(database)
    yield cluster
    for scheduler in cluster.schedulers:
        scheduler.obs.close()


def figures(scheduler: Scheduler) -> dict[str, float | None]:
    """What the scheduler shows of its nodes."""
    sample = scheduler.obs.sample
    return {
        "active": sample("scheduler_nodes", state="active"),
        "draining": sample("scheduler_nodes", state="draining"),
        "disabled": sample("scheduler_nodes", state="disabled"),
        "blocked": sample("scheduler_drains_blocked"),
        "drained": sample("scheduler_drain_duration_seconds_count"),
    }


async def test_a_drained_node_is_emptied_disabled_and_timed_once(cluster: Cluster) -> None:
    """What ran there serves elsewhere; the drain is timed from the wish, and a second pass does not count it again (EXT-05)."""
    await cluster.nodes(A, B)
    scheduler = cluster.scheduler()
    await cluster.deploy(1)
    await cluster.settle(scheduler)
    assert figures(scheduler) == {"active": 2, "draining": 0, "disabled": 0, "blocked": 0, "drained": 0}
    await cluster.tell(event(A, "node.state_changed", state="draining", reason="operator_request"))
    await cluster.settle(scheduler, turns=20)
    assert await cluster.serving() == [("web", "1"), ("web", "1")]
    placed = await cluster.rows("SELECT DISTINCT node_id FROM instances_desired WHERE desired_state = 'running'")
    assert placed == [{"node_id": B}]
    await scheduler.work(2)
    assert figures(scheduler) == {"active": 1, "draining": 0, "disabled": 1, "blocked": 0, "drained": 1}
    assert 0 < (scheduler.obs.sample("scheduler_drain_duration_seconds_sum") or 0.0) < 120
    changes = "SELECT payload ->> 'reason' AS reason FROM events WHERE event_type = 'node.state_changed' ORDER BY event_id"
    assert await cluster.rows(changes) == [{"reason": "operator_request"}, {"reason": "drained"}]


async def test_a_drain_without_another_place_is_blocked_and_nothing_is_lost(cluster: Cluster) -> None:
    """The instance stays where it serves; with a second node the drain goes on (EXT-05)."""
    await cluster.nodes(A)
    scheduler = cluster.scheduler()
    await cluster.deploy(1, replicas=1)
    await cluster.settle(scheduler)
    await cluster.tell(event(A, "node.state_changed", state="draining", reason="operator_request"))
    await scheduler.work(2)
    assert figures(scheduler) == {"active": 0, "draining": 1, "disabled": 0, "blocked": 1, "drained": 0}
    assert await cluster.serving() == [("web", "1")]
    await cluster.nodes(B, memory_bytes=GIB)
    await cluster.settle(scheduler, turns=20)
    await scheduler.work()
    assert figures(scheduler) == {"active": 1, "draining": 0, "disabled": 1, "blocked": 0, "drained": 1}


async def test_an_empty_node_is_drained_at_once(cluster: Cluster) -> None:
    """There is nothing to wait for."""
    await cluster.nodes(A, B)
    scheduler = cluster.scheduler()
    await cluster.tell(event(A, "node.state_changed", state="draining", reason="operator_request"))
    await cluster.settle(scheduler)
    assert figures(scheduler) == {"active": 1, "draining": 0, "disabled": 1, "blocked": 0, "drained": 1}
