"""``platform describe route``: what routes to what, as each edge has it applied (OBJ-04, DBG-1-03, DBG-1-04)."""

from __future__ import annotations

from obslib.access import Grant, Resource, not_found
from obslib.debug.conditions import conditions, last_transition
from obslib.debug.facts import Facts, gather, has_ended
from obslib.debug.routing import PROXY_HINT
from obslib.debug.timeline import event_lines
from obslib.debug.verdict import judge_route
from obslib.debug.views import Views
from obslib.debug.visible import visible_error
from obslib.wire import BackendRecord, InstanceRecord, NodeRecord, RouteRecord

__all__ = ["backends", "describe_route", "route_description", "routing"]


async def describe_route(
    views: Views,
    grant: Grant,
    env_id: str,
    route_id: str,
    *,
    now: float,
    silent_after_s: float = 60.0,
    patience_s: float = 120.0,
) -> dict[str, object]:
    """Gather and describe a route of an env; needs ``envs:read``. Raises AccessDenied for one that is not there."""
    facts = await gather(views, grant, env_id, now=now, silent_after_s=silent_after_s, patience_s=patience_s)
    if all(route.route_id != route_id for route in facts.routes):
        raise not_found(Resource(type="route", id=route_id))
    return route_description(facts, route_id)


def route_description(facts: Facts, route_id: str) -> dict[str, object]:
    """The whole description of one of the facts' routes."""
    route = next(route for route in facts.routes if route.route_id == route_id)
    judgement, since = judge_route(facts, route_id), last_transition(facts)
    section = routing(facts, route)
    return {
        "kind": "route",
        "id": route.route_id,
        "env_id": route.env_id,
        "binding": section["binding"],
        "desired": section["binding"],
        "backends": section["backends"],
        "edges": section["edges"],
        "hints": section["hints"],
        "convergence": judgement.as_dict(),
        "conditions": conditions(judgement, since),
        "last_transition": since,
        "recent_events": event_lines([event for event in facts.events if event.aggregate_id == route_id]),
        "related": {
            "env_id": facts.env.env_id,
            "app_id": facts.env.app_id,
            "org_id": facts.env.org_id,
            "instance_ids": [backend.instance_id for backend in backends(facts, route)],
        },
    }


def routing(facts: Facts, route: RouteRecord) -> dict[str, object]:
    """A route's binding, its backends with each edge's view of them, and each edge's config."""
    lines = [_backend_line(facts, route, backend) for backend in backends(facts, route)]
    hints = [PROXY_HINT] if route.proxy_protocol == "v2" and _closes_early(facts, route) else []
    return {
        "route_id": route.route_id,
        "hostname": route.hostname,
        "listener_port": route.listener_port,
        "process_type": route.process_type,
        "binding": {
            "hostname": route.hostname,
            "listener_port": route.listener_port,
            "protocol": route.protocol,
            "proxy_protocol": route.proxy_protocol,
            "process_type": route.process_type,
            "backend_port": route.backend_port,
            "event_id": route.event_id,
        },
        "backends": lines,
        "edges": [_edge_line(facts, route, edge) for edge in facts.edges],
        "hints": hints,
    }


def backends(facts: Facts, route: RouteRecord) -> list[BackendRecord]:
    """The instances that belong behind the route, with the state the control plane routes by."""
    return [
        BackendRecord(
            instance_id=instance.instance_id,
            node_id=instance.node_id,
            address=instance.address,
            port=instance.port,
            state=_routing_state(instance),
        )
        for instance in facts.instances
        if instance.process_type == route.process_type and not has_ended(instance)
    ]


def _routing_state(instance: InstanceRecord) -> str:
    if instance.status != "ready":
        return "not_ready"
    return "ready" if instance.desired_state == "running" else "draining"


def _backend_line(facts: Facts, route: RouteRecord, backend: BackendRecord) -> dict[str, object]:
    return {
        **backend.model_dump(),
        "edge_reachability": [_reachability(facts, route, edge, backend.instance_id) for edge in facts.edges],
    }


def _reachability(facts: Facts, route: RouteRecord, edge: NodeRecord, instance_id: str) -> dict[str, object]:
    known = edge.edge.routes.get(route.route_id) if edge.edge else None
    seen = next((b for b in known.backends if b.instance_id == instance_id), None) if known else None
    is_silent = facts.is_silent(edge.seen_at)
    return {
        "node_id": edge.node_id,
        "name": edge.name,
        "state": seen.state if seen and not is_silent else "unknown",
        "is_applied": seen is not None,
        "gated": seen.gated if seen else "",
        "last_failure_reason": seen.last_failure_reason if seen else "",
        "checked_at": seen.checked_at if seen else None,
        "age_seconds": facts.age(seen.checked_at if seen else edge.seen_at),
        "edge_age_seconds": facts.age(edge.seen_at),
    }


def _edge_line(facts: Facts, route: RouteRecord, edge: NodeRecord) -> dict[str, object]:
    report = edge.edge
    known = report.routes.get(route.route_id) if report else None
    return {
        "node_id": edge.node_id,
        "name": edge.name,
        "state": "unknown" if report is None or facts.is_silent(edge.seen_at) else report.last_result,
        "is_applied": known is not None and not known.problem,
        "problem": known.problem if known else "",
        "applied_event_id": report.applied_event_id if report else None,
        "applied_at": report.applied_at if report else None,
        "last_error": visible_error(report.last_error, facts) if report else "",
        "age_seconds": facts.age(edge.seen_at),
    }


def _closes_early(facts: Facts, route: RouteRecord) -> bool:
    return any(
        backend.last_failure_reason == "closed_early"
        for edge in facts.edges
        if edge.edge and route.route_id in edge.edge.routes
        for backend in edge.edge.routes[route.route_id].backends
    )
