"""Edges: the config they fetch and what they report."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from starlette.responses import Response

from miniplatform.control_plane.auth import as_node
from miniplatform.control_plane.call import Call
from miniplatform.control_plane.nodes import accept_heartbeat
from miniplatform.store.checkpoints import positions, standing
from miniplatform.store.pool import Database
from miniplatform.store.views import EDGE_READS
from miniplatform.wire import EdgeBackend, EdgeConfig, EdgeRoute
from obslib.wire import EdgeReport

__all__ = ["config", "heartbeat"]


async def config(call: Call) -> Response:
    """``GET /v1/edges/{node}/config``: every route and the instances behind it."""
    node_id, database = as_node(call), call.platform.database
    cursor, head = standing(await positions(database), EDGE_READS)
    routes = await database.rows(
        "view_read",
        "SELECT route_id, org_id, env_id, hostname, listener_port, protocol, proxy_protocol, process_type, event_id,"
        " coalesce(traceparent, '') AS traceparent FROM routes ORDER BY route_id",
    )
    behind = await _backends(database)
    found = EdgeConfig.of(
        [
            EdgeRoute(**row, backends=tuple(EdgeBackend(**b) for b in behind[row["env_id"], row["process_type"]]))
            for row in routes
        ],
        cursor_event_id=cursor,
        head_event_id=head,
    )
    changes = {row["route_id"]: (row["event_id"], row["traceparent"]) for row in routes}
    changes |= {b["instance_id"]: (b["event_id"], b["traceparent"]) for group in behind.values() for b in group}
    with call.platform.deliveries.delivering(node_id, "edge", found.config_id, changes, cursor_event_id=cursor):
        return Response(found.model_dump_json(), media_type="application/json")


async def heartbeat(call: Call) -> Response:
    """``POST /v1/edges/{node}/heartbeat``: the config in force and what of it can be reached."""
    node_id = as_node(call)
    return await accept_heartbeat(call, node_id, "edge", await call.body(EdgeReport))


async def _backends(database: Database) -> dict[tuple[str, str], list[dict[str, Any]]]:
    rows = await database.rows(
        "view_read",
        "SELECT i.env_id, i.process_type, i.instance_id, s.address, s.port, greatest(i.event_id, s.event_id) AS event_id,"
        " coalesce(CASE WHEN s.event_id > i.event_id THEN s.traceparent ELSE i.traceparent END, '') AS traceparent,"
        " CASE WHEN i.desired_state <> 'running' OR s.status = 'draining' THEN 'draining'"
        "  WHEN s.status = 'ready' THEN 'ready' ELSE 'not_ready' END AS state"
        " FROM instances_desired i JOIN instances_status s USING (instance_id)"
        " WHERE s.status IN ('booting', 'ready', 'draining') AND s.address <> '' AND s.port IS NOT NULL"
        " ORDER BY i.instance_id",
    )
    behind = defaultdict(list)
    for row in rows:
        behind[row["env_id"], row["process_type"]].append(row)
    return behind
