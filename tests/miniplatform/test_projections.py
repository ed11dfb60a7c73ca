"""Views made from the log, on a real PostgreSQL: what is applied, once, in order, whatever is killed."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from miniplatform.store import checkpoints
from miniplatform.store.checkpoints import advance, have_reached, positions
from miniplatform.store.events import Event, NewEvent, append
from miniplatform.store.pool import Database
from miniplatform.store.projections import PROJECTIONS, targets

VIEWS = (
    "orgs", "apps", "envs", "releases", "deploys", "env_desired_releases", "env_scale", "routes", "instances_desired",
    "instances_status", "nodes",
)  # fmt: skip
ALLOCATED = {
    "node_id": "node_1", "assignment_id": "asgn_1", "process_type": "web", "release_id": "rel_1", "deploy_id": "dep_1",
    "group_spec_hash": "hash", "spec": {"command": ["python"]},
}  # fmt: skip
ROUTE = {
    "hostname": "web.example", "listener_port": 8080, "process_type": "web", "backend_port": 0, "protocol": "tcp_raw",
    "proxy_protocol": "off",
}  # fmt: skip
READY = {"status": "ready", "boot_id": "boot_1", "address": "127.0.0.1", "port": 4000, "node_id": "node_1"}
FAILED = {"status": "failed", "boot_id": "boot_1", "node_id": "node_1", "reason_code": "oom_killed", "exit_code": -9}


def told(aggregate_id: str, event_type: str, payload: dict[str, Any] | None = None) -> NewEvent:
    """An event of the one app that the tests are about."""
    return NewEvent(
        aggregate_type=event_type.partition(".")[0], aggregate_id=aggregate_id, event_type=event_type,
        payload=payload or {}, org_id="org_1", app_id="app_1", env_id="env_1",
    )  # fmt: skip


STORY = (
    told("org_1", "org.created", {"name": "acme"}),
    told("node_1", "node.enrolled", {"name": "agent-1", "kind": "agent", "address": "127.0.0.1", "memory_bytes": 1}),
    told("app_1", "app.created", {"name": "web"}),
    told("env_1", "env.created", {"name": "prod"}),
    told("rel_1", "release.created", {"manifest": {"name": "web"}, "manifest_hash": "hash"}),
    told("dep_1", "deploy.created", {"release_id": "rel_1", "kind": "deploy"}),
    told("env_1", "env.desired_release_set", {"release_id": "rel_1", "deploy_id": "dep_1", "process_types": ["web", "worker"]}),
    told("env_1", "env.scale_set", {"process_type": "web", "replicas": 2}),
    told("rt_1", "route.created", ROUTE),
    told("rt_2", "route.created", {**ROUTE, "hostname": "other.example", "listener_port": 8081}),
    told("inst_1", "instance.allocated", ALLOCATED),
    told("inst_2", "instance.allocated", ALLOCATED),
    told("inst_1", "instance.status_changed", READY),
    told("dep_1", "deploy.status_changed", {"status": "succeeded"}),
    told("inst_2", "instance.status_changed", FAILED),
    told("env_1", "env.desired_release_set", {"release_id": "rel_2", "deploy_id": "dep_2", "process_types": ["web"]}),
    told("inst_1", "instance.desired_state_changed", {"desired_state": "draining", "reason": "rollout_replace"}),
    told("inst_1", "instance.status_changed", {**READY, "status": "stopped", "is_final": True}),
    told("rt_1", "route.deleted"),
    told("env_1", "env.scale_set", {"process_type": "web", "replicas": 1}),
    told("node_1", "node.state_changed", {"state": "offline", "reason": "node_offline"}),
)


class Killed(BaseException):
    """The projector dies here."""


async def tell(database: Database, *story: NewEvent) -> list[int]:
    """Append events in one transaction."""
    async with database.transaction("event_append") as connection:
        return await append(connection, story, actor=("user", "usr_1"), request_id="req_1", traceparent="tp")


async def project(database: Database, *, limit: int = 100, seen: list[tuple[str, int]] | None = None) -> None:
    """Apply what there is to every view; ``seen`` collects what was committed."""
    for projection in PROJECTIONS:
        while True:
            async with database.transaction("projection_apply") as connection:
                done = await advance(connection, projection, applying=lambda *_: nullcontext(), limit=limit)
            if seen is not None:
                seen.extend((projection, event.event_id) for event in done.applied)
            if done.failure is not None:
                raise done.failure
            if not done.applied:
                break


async def views(database: Database) -> dict[str, list[Any]]:
    """Every row of every view."""
    return {view: sorted(map(repr, await database.rows("view_read", f"SELECT * FROM {view}".encode()))) for view in VIEWS}


async def test_the_story_ends_in_these_views(database: Database) -> None:
    """Each event does to its view what its name says."""
    await tell(database, *STORY)
    await project(database)

    async def rows(query: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in await database.rows("view_read", query.encode())]

    assert await rows("SELECT org_id, name FROM orgs") == [("org_1", "acme")]
    assert await rows("SELECT status, reason FROM deploys") == [("succeeded", "")]
    assert await rows("SELECT process_type, release_id FROM env_desired_releases") == [("web", "rel_2")]
    assert await rows("SELECT process_type, replicas FROM env_scale") == [("web", 1)]
    assert await rows("SELECT route_id, hostname, traceparent FROM routes") == [("rt_2", "other.example", "tp")]
    assert await rows("SELECT instance_id, desired_state, desired_reason FROM instances_desired ORDER BY 1") == [
        ("inst_1", "draining", "rollout_replace"), ("inst_2", "running", ""),
    ]  # fmt: skip
    assert await rows(
        "SELECT instance_id, status, is_final, port, reason_code, exit_code FROM instances_status ORDER BY 1"
    ) == [("inst_1", "stopped", True, 4000, "", None), ("inst_2", "failed", False, None, "oom_killed", -9)]
    assert await rows("SELECT node_id, state FROM nodes") == [("node_1", "offline")]


async def test_applying_everything_again_changes_nothing(database: Database) -> None:
    """Delivery is at least once; the views are the same after the second time."""
    await tell(database, *STORY)
    await project(database)
    once = await views(database)
    await database.rows("checkpoint_write", "UPDATE projection_checkpoints SET last_applied_event_id = 0 RETURNING 1")
    await project(database, limit=3)
    assert await views(database) == once


async def kill_everywhere(database: Database) -> list[tuple[str, int]]:
    """Die before every event once, and once more just before each commit; returns the applications that were committed."""
    committed: list[tuple[str, int]] = []
    died: set[tuple[str, int]] = set()
    for projection in PROJECTIONS:
        while True:
            try:
                async with database.transaction("projection_apply") as connection:
                    done = await advance(connection, projection, applying=lambda p, e: die_once(died, p, e), limit=2)
                    if done.applied and (key := (f"commit {projection}", done.applied[0].event_id)) not in died:
                        died.add(key)
                        raise Killed
            except Killed:
                continue
            committed.extend((projection, event.event_id) for event in done.applied)
            if not done.applied:
                break
    return committed


def die_once(died: set[tuple[str, int]], projection: str, event: Event) -> nullcontext[None]:
    """Die the first time this event is applied to this projection."""
    if (projection, event.event_id) not in died:
        died.add((projection, event.event_id))
        raise Killed
    return nullcontext()


async def test_a_projector_killed_anywhere_applies_nothing_twice(database: Database) -> None:
    """View and checkpoint move together: each event is committed to each of its views exactly once, in order."""
    ids = await tell(database, *STORY)
    committed = await kill_everywhere(database)
    expected = [
        (projection, event_id)
        for projection, consumed in PROJECTIONS.items()
        for event_id, event in zip(ids, STORY, strict=True)
        if event.event_type in consumed
    ]
    assert committed == expected
    survived = await views(database)
    await database.rows("checkpoint_write", "UPDATE projection_checkpoints SET last_applied_event_id = 0 RETURNING 1")
    for view in VIEWS:
        await database.rows("projection_apply", f"DELETE FROM {view} RETURNING 1".encode())
    await project(database)
    assert await views(database) == survived


async def test_a_mutant_that_forgets_its_checkpoint_is_caught(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A projector that started over after each kill would commit events twice, and the test above would say so."""
    await tell(database, *STORY)

    async def forgotten(*_: object) -> int:
        return 0

    monkeypatch.setattr(checkpoints, "_locked_checkpoint", forgotten)
    applied = []
    for _ in range(2):
        async with database.transaction("projection_apply") as connection:
            applied += (await advance(connection, "orgs", applying=lambda *_: nullcontext())).applied
    assert len(applied) == 2


async def test_an_event_that_cannot_be_applied_stops_its_projection_alone(database: Database) -> None:
    """What came before it stays applied, the checkpoint stands before it, and the other views go on."""
    ids = await tell(
        database, STORY[0], told("org_2", "org.created", {}), told("org_3", "org.created", {"name": "late"}), STORY[2]
    )
    async with database.transaction("projection_apply") as connection:
        done = await advance(connection, "orgs", applying=lambda *_: nullcontext())
    assert [event.event_id for event in done.applied] == ids[:1]
    assert isinstance(done.failure, KeyError)
    async with database.transaction("projection_apply") as connection:
        await advance(connection, "apps", applying=lambda *_: nullcontext())
    where = {p.projection: p for p in await positions(database)}
    assert (where["orgs"].applied_event_id, where["orgs"].head_event_id, where["orgs"].lag_events) == (ids[0], ids[2], 2)
    assert where["orgs"].waiting_since is not None
    assert (where["apps"].lag_events, where["apps"].waiting_since) == (0, None)
    assert (where["routes"].applied_event_id, where["routes"].head_event_id, where["routes"].lag_events) == (0, 0, 0)


async def test_a_reader_knows_when_its_writes_are_in_the_views(database: Database) -> None:
    """A command's events have arrived when each view has applied the newest it consumes of them."""
    ids = await tell(database, *STORY[:8])
    wanted = targets([event.event_type for event in STORY[:8]], ids)
    assert wanted["deploys"] == ids[5]
    assert wanted["env_scale"] == ids[7]
    assert not await have_reached(database, wanted)
    await project(database)
    assert await have_reached(database, wanted)
