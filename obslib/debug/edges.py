"""``platform describe edge``: what each edge node serves, and what it cannot (DBG-2-06).

For operators: an edge carries every tenant's routes, so this takes the platform's own scope and no org.
"""

from __future__ import annotations

from obslib.access import Grant, Resource, Scope, not_found
from obslib.access.resource import forbidden
from obslib.debug.views import Views
from obslib.wire import ConsumerRecord, EdgeReport, NodeRecord, age_seconds

__all__ = ["describe_edges", "edge_description"]

_GRAVITY = ("ok", "refusing", "unknown", "silent", "failing")


async def describe_edges(
    views: Views, grant: Grant, *, now: float, node: str = "", silent_after_s: float = 60.0
) -> dict[str, object]:
    """Every edge, or the one whose id or name is ``node``; needs a platform grant for ``nodes:admin``.

    Raises AccessDenied for any other grant and, as for a missing one, for a node that is no edge.
    """
    if grant.org_id is not None or grant.scope is not Scope.NODES_ADMIN:
        raise forbidden(Scope.NODES_ADMIN)
    edges = [record for record in await views.nodes() if record.kind == "edge"]
    if node:
        edges = [record for record in edges if node in (record.node_id, record.name)]
        if not edges:
            raise not_found(Resource(type="edge", id=node))
    consumers = {consumer.node_id: consumer for consumer in await views.consumers()}
    lines = [
        edge_description(record, consumers.get(record.node_id), now=now, silent_after_s=silent_after_s)
        for record in sorted(edges, key=lambda record: record.name)
    ]
    first = max(lines, key=lambda line: _GRAVITY.index(str(line["state"])), default=None)
    verdict = str(first["state"]) if first else "unknown"
    cause = "there is no edge node" if first is None else "" if verdict == "ok" else f"{first['name']} is {verdict}"
    return {"kind": "edges", "verdict": verdict, "cause": cause, "edges": lines}


def edge_description(
    edge: NodeRecord, consumer: ConsumerRecord | None, *, now: float, silent_after_s: float = 60.0
) -> dict[str, object]:
    """One edge: the config in force, how the last apply went, the routes it refuses, and its backends.

    ``state``: ``failing`` when the last config could not be applied, ``refusing`` when single routes are not served.
    """
    report = edge.edge or EdgeReport()
    age = age_seconds(edge.seen_at, now)
    return {
        "node_id": edge.node_id,
        "name": edge.name,
        "node_state": edge.state,
        "state": _state(edge, age, silent_after_s),
        "age_seconds": age,
        "applied_event_id": report.applied_event_id,
        "newest_event_id": consumer.head_event_id if consumer else None,
        "lag_events": consumer.lag_events if consumer else None,
        "config_id": report.config_id,
        "last_result": report.last_result,
        "last_error": report.last_error,
        "applied_at": report.applied_at,
        "applied_age_seconds": age_seconds(report.applied_at, now),
        "routes": len(report.routes),
        "refused": [
            {"route_id": route_id, "listener_port": route.listener_port, "problem": route.problem}
            for route_id, route in sorted(report.routes.items())
            if route.problem
        ],
        "backends": [
            {
                "route_id": route_id,
                "instance_id": backend.instance_id,
                "address": backend.address,
                "state": backend.state,
                "gated": backend.gated,
                "last_failure_reason": backend.last_failure_reason,
                "checked_at": backend.checked_at,
                "age_seconds": age_seconds(backend.checked_at, now),
            }
            for route_id, route in sorted(report.routes.items())
            for backend in route.backends
        ],
    }


def _state(edge: NodeRecord, age: float | None, silent_after_s: float) -> str:
    if edge.edge is None or age is None:
        return "unknown"
    if age > silent_after_s:
        return "silent"
    if edge.edge.last_result == "failure":
        return "failing"
    return "refusing" if any(route.problem for route in edge.edge.routes.values()) else "ok"
