"""Reads one consistent picture of the views: everything a pass decides from.

All queries of a pass share one snapshot of the database, together with the checkpoints of the views and the
newest decision in the log; so a pass knows whether the views already show what was decided before it, even
when another process, or this one before it was killed, decided it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import DictRow

from miniplatform.scheduler.desired import InvalidManifest, group_spec_hash, workload_spec
from miniplatform.scheduler.rollout import REPLACED, REPLACEMENT_WINDOW_S
from miniplatform.scheduler.world import Deploy, Group, GroupKey, Instance, Node, World
from miniplatform.store.pool import Connection, Database
from miniplatform.store.projections import PROJECTIONS

__all__ = ["DECISIONS", "Reader"]

DECISIONS: Mapping[str, tuple[str, ...]] = {
    "instances_desired": ("instance.allocated", "instance.desired_state_changed"),
    "deploys": ("deploy.status_changed",),
    "nodes": ("node.state_changed",),
}
"""Event types of decisions, by the view that shows them: a scheduler's, and an operator's about a node."""

_VIEWS = ("env_desired_releases", "env_scale", "releases", "deploys", "instances_desired", "instances_status", "nodes")

_NOW = "SELECT extract(epoch FROM now())::float8 AS now, coalesce(max(event_id), 0) AS head FROM events"
_PROGRESS = """
    SELECT p.name, coalesce(c.last_applied_event_id, 0) AS applied,
        (SELECT min((SELECT min(event_id) FROM events
                     WHERE event_type = t AND event_id > coalesce(c.last_applied_event_id, 0)))
         FROM unnest(string_to_array(p.consumed, ' ')) t) AS waiting,
        (SELECT max((SELECT max(event_id) FROM events WHERE event_type = t))
         FROM unnest(string_to_array(p.decisions, ' ')) t) AS decided
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS p (name, consumed, decisions)
    LEFT JOIN projection_checkpoints c ON c.projection_name = p.name"""
_GROUPS = """
    SELECT d.env_id, d.process_type, d.org_id, d.app_id, d.release_id, d.deploy_id, s.replicas,
        coalesce(CASE WHEN s.event_id > d.event_id THEN s.traceparent END, d.traceparent, '') AS traceparent,
        extract(epoch FROM e.occurred_at)::float8 AS wished_at
    FROM env_desired_releases d JOIN env_scale s USING (env_id, process_type)
    JOIN events e ON e.event_id = greatest(d.event_id, s.event_id) ORDER BY env_id, process_type"""
_INSTANCES = """
    SELECT i.instance_id, i.env_id, i.process_type, i.org_id, i.app_id, i.deploy_id, i.node_id,
        i.group_spec_hash AS spec_hash, coalesce((i.spec ->> 'memory_bytes')::bigint, 0) AS memory_bytes,
        i.desired_state, i.desired_reason, extract(epoch FROM i.created_at)::float8 AS created_at,
        extract(epoch FROM i.changed_at)::float8 AS changed_at, coalesce(s.status, '') AS status,
        coalesce(s.is_final, false) AS is_final, coalesce(i.traceparent, '') AS traceparent
    FROM instances_desired i LEFT JOIN instances_status s USING (instance_id)
    WHERE i.desired_state <> 'stopped' OR s.status IN ('booting', 'ready', 'draining')
        OR (i.desired_reason = %(replaced)s AND i.changed_at > now() - %(window)s * interval '1 second')
    ORDER BY i.instance_id"""
_NODES = """
    SELECT n.node_id, n.kind, n.state, n.memory_bytes, extract(epoch FROM now() - r.seen_at)::float8 AS silent_s,
        CASE WHEN n.state = 'draining' THEN (
            SELECT extract(epoch FROM now() - e.occurred_at)::float8 FROM events e WHERE e.aggregate_type = 'node'
            AND e.aggregate_id = n.node_id AND e.event_type = 'node.state_changed' ORDER BY e.aggregate_seq DESC LIMIT 1
        ) END AS drained_for_s
    FROM nodes n LEFT JOIN node_reports r USING (node_id) ORDER BY n.node_id"""
_DEPLOYS = """
    SELECT d.deploy_id, d.org_id, d.app_id, d.env_id, d.status, d.reason,
        extract(epoch FROM d.created_at)::float8 AS created_at, extract(epoch FROM d.changed_at)::float8 AS changed_at,
        e.event_id, coalesce(e.traceparent, '') AS traceparent
    FROM deploys d
    JOIN events e ON e.aggregate_type = 'deploy' AND e.aggregate_id = d.deploy_id AND e.aggregate_seq = 1
    WHERE d.status IN ('queued', 'rolling') OR d.deploy_id IN (SELECT deploy_id FROM env_desired_releases)
    ORDER BY d.deploy_id"""


class Reader:
    """Reads the world; remembers releases, which never change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._releases: dict[str, DictRow] = {}

    async def world(self) -> World:
        """The views as they are now."""
        async with self._database.transaction("view_read") as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            progress = await self._progress(connection)
            instances = await _instances(connection)
            groups, are_complete = await self._groups(connection, instances)
            return World(
                groups=groups,
                instances=instances,
                nodes=await _nodes(connection),
                deploys=await _deploys(connection),
                **{**progress, "is_current": progress["is_current"] and are_complete},
            )

    async def _progress(self, connection: Connection) -> dict[str, Any]:
        clock = await (await connection.execute(_NOW)).fetchone()
        assert clock is not None  # an aggregate without GROUP BY gives one row
        consumed = [" ".join(PROJECTIONS[view]) for view in _VIEWS]
        decisions = [" ".join(DECISIONS.get(view, ())) for view in _VIEWS]
        found = await connection.execute(_PROGRESS, [list(_VIEWS), consumed, decisions])
        views = await found.fetchall()
        waiting = [view["waiting"] for view in views if view["waiting"] is not None]
        return {
            "now": clock["now"],
            "head_event_id": clock["head"],
            "cursor_event_id": min(waiting) - 1 if waiting else clock["head"],
            "decided_event_id": max(view["decided"] or 0 for view in views),
            "is_current": all((view["decided"] or 0) <= view["applied"] for view in views),
        }

    async def _groups(
        self, connection: Connection, instances: Mapping[GroupKey, Sequence[Instance]]
    ) -> tuple[tuple[Group, ...], bool]:
        """Every group that is wanted or still has instances; false when a release is not in its view yet."""
        found = await connection.execute(_GROUPS)
        rows = await found.fetchall()
        await self._learn_releases(connection, {row["release_id"] for row in rows})
        known = [row for row in rows if row["release_id"] in self._releases]
        groups = {group.key: group for group in map(self._group, known)}
        unwanted = {key: _unwanted(key, here, list(groups.values())) for key, here in instances.items() if key not in groups}
        return tuple(group for _, group in sorted({**unwanted, **groups}.items())), len(known) == len(rows)

    async def _learn_releases(self, connection: Connection, wanted: set[str]) -> None:
        missing = sorted(wanted - self._releases.keys())
        if missing:
            found = await connection.execute(
                "SELECT release_id, manifest, manifest_hash FROM releases WHERE release_id = ANY(%s)", [missing]
            )
            self._releases.update((row["release_id"], row) for row in await found.fetchall())

    def _group(self, row: DictRow) -> Group:
        release = self._releases[row["release_id"]]
        spec, problem = None, ""
        try:
            spec = workload_spec(release["manifest"], row["process_type"])
        except InvalidManifest as error:
            problem = str(error)
        digest = (
            group_spec_hash(release_id=row["release_id"], manifest_hash=release["manifest_hash"], spec=spec) if spec else ""
        )
        return Group(
            key=GroupKey(env_id=row["env_id"], process_type=row["process_type"]),
            org_id=row["org_id"],
            app_id=row["app_id"],
            release_id=row["release_id"],
            deploy_id=row["deploy_id"],
            replicas=row["replicas"] if spec else 0,
            spec=spec,
            spec_hash=digest,
            traceparent=row["traceparent"],
            wished_at=row["wished_at"],
            problem=problem,
        )


def _unwanted(key: GroupKey, instances: Sequence[Instance], groups: Sequence[Group]) -> Group:
    """The group of instances whose process type is wanted no more; the env's present deploy is why they leave."""
    cause = next((group for group in groups if group.key.env_id == key.env_id), None)
    return Group(
        key=key,
        org_id=instances[0].org_id,
        app_id=instances[0].app_id,
        release_id=cause.release_id if cause else "",
        deploy_id=cause.deploy_id if cause else instances[0].deploy_id,
        replicas=0,
        spec=None,
        spec_hash="",
        traceparent=cause.traceparent if cause else instances[0].traceparent,
    )


async def _instances(connection: Connection) -> dict[GroupKey, tuple[Instance, ...]]:
    """Instances that are wanted, hold memory, or count as replaced; the others are history."""
    found = await connection.execute(_INSTANCES, {"replaced": REPLACED, "window": REPLACEMENT_WINDOW_S})
    grouped: dict[GroupKey, list[Instance]] = defaultdict(list)
    for row in await found.fetchall():
        key = GroupKey(env_id=row.pop("env_id"), process_type=row.pop("process_type"))
        grouped[key].append(Instance(key=key, **row))
    return {key: tuple(members) for key, members in grouped.items()}


async def _nodes(connection: Connection) -> tuple[Node, ...]:
    return tuple(Node(**row) for row in await (await connection.execute(_NODES)).fetchall())


async def _deploys(connection: Connection) -> tuple[Deploy, ...]:
    return tuple(Deploy(**row) for row in await (await connection.execute(_DEPLOYS)).fetchall())
