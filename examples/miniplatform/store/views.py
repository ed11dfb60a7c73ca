"""What obslib's descriptions need to know, read from the views: the platform's side of ``obslib.debug.Views``."""

from __future__ import annotations

from collections.abc import Sequence

from miniplatform.store.checkpoints import positions, standing
from miniplatform.store.history import EVENT_COLUMNS
from miniplatform.store.pool import Database
from miniplatform.store.projections import CRITICAL
from obslib.access import Grant, Scope
from obslib.wire import (
    ComponentRecord,
    ConsumerRecord,
    DeployRecord,
    EnvRecord,
    EventRecord,
    GroupRecord,
    InstanceRecord,
    NodeRecord,
    ProjectionRecord,
    RouteRecord,
)

__all__ = ["AGENT_READS", "EDGE_READS", "PostgresViews"]

AGENT_READS = ("instances_desired",)
"""The projections behind a node plan."""

EDGE_READS = ("routes", "instances_status", "instances_desired")
"""The projections behind an edge config."""

_ENDED_KEPT = 20


class PostgresViews:
    """Reads the views; what belongs to a tenant only with a grant, whose org is in every such query."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def env(self, grant: Grant, env_id: str) -> EnvRecord | None:
        """The env with the names of its app and org."""
        row = await self._database.row(
            "view_read",
            "SELECT e.env_id, e.org_id, e.app_id, e.name, a.name AS app_name, o.name AS org_name FROM envs e"
            " JOIN apps a USING (app_id) JOIN orgs o ON o.org_id = e.org_id"
            " WHERE e.env_id = %(env)s AND e.org_id = %(org)s",
            _env(grant, env_id),
        )
        return None if row is None else EnvRecord(**row)

    async def deploy(self, grant: Grant, env_id: str) -> DeployRecord | None:
        """The newest deploy of the env."""
        row = await self._database.row(
            "view_read",
            "SELECT deploy_id, release_id, status, reason, kind, created_at, changed_at FROM deploys"
            " WHERE env_id = %(env)s AND org_id = %(org)s ORDER BY created_at DESC, deploy_id DESC LIMIT 1",
            _env(grant, env_id),
        )
        return None if row is None else DeployRecord(**row)

    async def groups(self, grant: Grant, env_id: str) -> Sequence[GroupRecord]:
        """Every process type with a desired release or a scale."""
        rows = await self._database.rows(
            "view_read",
            "SELECT process_type, coalesce(d.release_id, '') AS release_id, coalesce(d.deploy_id, '') AS deploy_id,"
            " coalesce(s.replicas, 0) AS replicas, greatest(coalesce(d.event_id, 0), coalesce(s.event_id, 0)) AS event_id"
            " FROM (SELECT * FROM env_desired_releases WHERE env_id = %(env)s AND org_id = %(org)s) d"
            " FULL JOIN (SELECT * FROM env_scale WHERE env_id = %(env)s AND org_id = %(org)s) s USING (process_type)"
            " ORDER BY process_type",
            _env(grant, env_id),
        )
        return [GroupRecord(**row) for row in rows]

    async def instances(self, grant: Grant, env_id: str) -> Sequence[InstanceRecord]:
        """Every instance that has not ended, and the newest ended ones of each process type."""
        rows = await self._database.rows(
            "view_read",
            "SELECT * FROM (SELECT i.instance_id, i.env_id, i.process_type, i.release_id, i.deploy_id, i.node_id,"
            "   i.assignment_id, i.desired_state, i.desired_reason, i.event_id AS desired_event_id, i.created_at,"
            "   i.changed_at AS desired_changed_at, coalesce(s.status, '') AS status, coalesce(s.boot_id, '') AS boot_id,"
            "   coalesce(s.address, '') AS address, s.port, coalesce(s.restarts, 0) AS restarts,"
            "   coalesce(s.is_final, false) AS is_final, coalesce(s.reason_code, '') AS reason_code,"
            "   coalesce(s.reason_detail, '') AS reason_detail, coalesce(s.termination_class, '') AS termination_class,"
            "   s.exit_code, coalesce(s.event_id, 0) AS status_event_id, s.changed_at AS status_changed_at, e.has_ended,"
            "   CASE WHEN x.boot_id <> '' THEN jsonb_build_object('boot_id', x.boot_id, 'report', x.report) END AS last_end,"
            "   row_number() OVER (PARTITION BY i.process_type, e.has_ended ORDER BY i.created_at DESC) AS newest"
            "  FROM instances_desired i LEFT JOIN instances_status s USING (instance_id)"
            "  LEFT JOIN instance_ends x ON x.instance_id = i.instance_id AND x.org_id = i.org_id"
            "  CROSS JOIN LATERAL (SELECT coalesce(s.is_final, false) OR (i.desired_state = 'stopped'"
            "   AND coalesce(s.status, '') IN ('', 'stopped', 'failed')) AS has_ended) e"
            "  WHERE i.env_id = %(env)s AND i.org_id = %(org)s) AS found"
            " WHERE NOT has_ended OR newest <= %(kept)s ORDER BY created_at, instance_id",
            {**_env(grant, env_id), "kept": _ENDED_KEPT},
        )
        return [InstanceRecord(**row) for row in rows]

    async def routes(self, grant: Grant, env_id: str) -> Sequence[RouteRecord]:
        """Every route of the env."""
        rows = await self._database.rows(
            "view_read",
            "SELECT route_id, env_id, hostname, listener_port, process_type, backend_port, protocol, proxy_protocol, event_id"
            " FROM routes WHERE env_id = %(env)s AND org_id = %(org)s ORDER BY route_id",
            _env(grant, env_id),
        )
        return [RouteRecord(**row) for row in rows]

    async def events(
        self,
        grant: Grant,
        env_id: str,
        *,
        aggregate_ids: Sequence[str] = (),
        event_types: Sequence[str] = (),
        limit: int = 50,
    ) -> Sequence[EventRecord]:
        """The newest events of the env, oldest first, or those of some aggregates or types."""
        rows = await self._database.rows(
            "event_read",
            f"{EVENT_COLUMNS} WHERE env_id = %(env)s AND org_id = %(org)s AND (%(any_id)s OR aggregate_id = ANY(%(ids)s))"
            " AND (%(any_type)s OR event_type = ANY(%(types)s)) ORDER BY event_id DESC LIMIT %(limit)s",
            {
                **_env(grant, env_id), "any_id": not aggregate_ids, "ids": list(aggregate_ids),
                "any_type": not event_types, "types": list(event_types), "limit": limit,
            },
        )  # fmt: skip
        return [EventRecord(**row) for row in reversed(rows)]

    async def nodes(self) -> Sequence[NodeRecord]:
        """Every node with its last heartbeat."""
        rows = await self._database.rows(
            "view_read",
            "SELECT n.node_id, name, kind, state, address, memory_bytes, r.seen_at,"
            " CASE kind WHEN 'agent' THEN r.report END AS report, CASE kind WHEN 'edge' THEN r.report END AS edge"
            " FROM nodes n LEFT JOIN node_reports r USING (node_id) ORDER BY name",
        )
        return [NodeRecord.model_validate(row) for row in rows]

    async def components(self) -> Sequence[ComponentRecord]:
        """The last pass of the projector and of the scheduler, as far as there was one."""
        rows = await self._database.rows("view_read", "SELECT component, seen_at, report FROM component_reports")
        return [ComponentRecord.model_validate(row) for row in rows]

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection with its checkpoint, the newest event it would consume, and its last error."""
        errors = next((c.report.errors for c in await self.components() if c.component == "projector"), {})
        return [
            ProjectionRecord(
                projection=position.projection,
                last_applied_event_id=position.applied_event_id,
                newest_event_id=position.head_event_id,
                updated_at=position.updated_at,  # type: ignore[arg-type]  # Moment takes a datetime
                is_critical=position.projection in CRITICAL,
                last_error=errors.get(position.projection, ""),
            )
            for position in await positions(self._database)
        ]

    async def consumers(self) -> Sequence[ConsumerRecord]:
        """The scheduler, every agent and every edge with its cursor."""
        where = await positions(self._database)
        heads = {"agent": standing(where, AGENT_READS)[1], "edge": standing(where, EDGE_READS)[1]}
        of_nodes = [
            ConsumerRecord(
                consumer=node.kind,
                node_id=node.node_id,
                name=node.name,
                cursor_event_id=_cursor(node),
                head_event_id=heads[node.kind],
                seen_at=node.seen_at,
                last_error=node.report.loop_error if node.report else node.edge.trouble if node.edge else "",
                backoffs=node.report.backoffs if node.report else {},
            )
            for node in await self.nodes()
        ]
        of_components = [
            ConsumerRecord(
                consumer=found.component,
                cursor_event_id=found.report.cursor_event_id,
                head_event_id=found.report.head_event_id,
                seen_at=found.seen_at,
                last_error=found.report.loop_error,
            )
            for found in await self.components()
            if found.component == "scheduler"
        ]
        return [*of_components, *of_nodes]


def _env(grant: Grant, env_id: str) -> dict[str, object]:
    return {"env": env_id, "org": grant.require(Scope.ENVS_READ)}


def _cursor(node: NodeRecord) -> int:
    report = node.report or node.edge
    return report.cursor_event_id if report else 0
