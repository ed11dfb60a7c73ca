"""The links at the edge: whether the group is routed, every edge has applied that, and the edges reach the backends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obslib.debug.chain import Finding, Link, State, worst
from obslib.debug.facts import Facts
from obslib.debug.visible import visible_error
from obslib.wire import BackendReport, GroupRecord, InstanceRecord, NodeRecord, RouteRecord

__all__ = ["PROXY_HINT", "applied", "bound_routes", "dangling", "reachable", "routed"]

PROXY_HINT = "the backend closes right after the PROXY v2 header; it may not speak it: set proxy_protocol to off"

_GATED_BY_PLAN = ("not_ready", "draining")
"""Gates that follow the control plane; on a backend that is ready by now they only show that the edge is behind."""

_CLOSED_EARLY = "closed_early"
"""What an edge says of a backend that ends a connection right after the header; its next answer takes it back."""

_SERVES_WITHOUT_BEING_TOLD = "web"
"""The process type that is there to be reached; any other may be meant to have no route."""


def bound_routes(facts: Facts, group: GroupRecord) -> Sequence[RouteRecord]:
    """The routes that point at the group."""
    return [route for route in facts.routes if route.process_type == group.process_type]


def routed(facts: Facts, group: GroupRecord) -> Finding:
    """Whether any route points at the group; only ``web`` is expected to have one."""
    routes = bound_routes(facts, group)
    names = [f"{route.hostname}:{route.listener_port}" for route in routes]
    if routes:
        return Finding(
            link=Link.ROUTED,
            state=State.OK,
            cause=", ".join(names),
            evidence={"routes": names},
            subject=group.process_type,
        )
    is_expected = group.process_type == _SERVES_WITHOUT_BEING_TOLD
    return Finding(
        link=Link.ROUTED,
        state=State.FAILING if is_expected else State.NOT_APPLICABLE,
        cause=f"no route points at {group.process_type}",
        reason_code="no_route" if is_expected else "",
        subject=group.process_type,
    )


def dangling(facts: Facts) -> Iterator[Finding]:
    """A finding for each route that points at a process type the env does not have."""
    known = {group.process_type for group in facts.groups}
    for route in facts.routes:
        if route.process_type not in known:
            cause = f"{route.hostname}:{route.listener_port} points at {route.process_type}, which this env does not have"
            yield _found(Link.ROUTED, State.FAILING, route, cause, "route_without_group")


def applied(facts: Facts, route: RouteRecord, backends: Sequence[InstanceRecord]) -> Finding:
    """Whether every edge serves the route with these backends, as far as the edges still tell."""
    nowhere = _found(Link.APPLIED, State.FAILING, route, "there is no edge node to serve it", "no_edge")
    return worst((_applied_at(facts, edge, route, backends) for edge in facts.edges), nowhere)


def _applied_at(facts: Facts, edge: NodeRecord, route: RouteRecord, backends: Sequence[InstanceRecord]) -> Finding:
    age, report = facts.age(edge.seen_at), edge.edge
    evidence: dict[str, object] = {"edge": edge.name, "edge_age_seconds": age}
    if report is None or facts.is_silent(edge.seen_at):
        heard = "was never heard" if age is None else f"was last heard {age:.0f} s ago"
        cause = f"edge {edge.name} {heard}"
        return _found(Link.APPLIED, State.UNKNOWN, route, cause, "edge_silent", evidence, since=edge.seen_at)
    evidence |= {
        "applied_event_id": report.applied_event_id,
        "route_event_id": route.event_id,
        "last_result": report.last_result,
        "applied_age_seconds": facts.age(report.applied_at),
    }
    known = report.routes.get(route.route_id)
    if known is not None and known.problem:
        what = f"cannot listen on port {route.listener_port}" if known.problem == "port_unavailable" else "does not serve it"
        return _found(Link.APPLIED, State.FAILING, route, f"edge {edge.name} {what}: {known.problem}", known.problem, evidence)
    there = {backend.instance_id for backend in known.backends} if known else set()
    missing = [instance.instance_id for instance in backends if instance.instance_id not in there]
    if _has(edge, route) and not missing:
        return _found(Link.APPLIED, State.OK, route, f"edge {edge.name} serves it", evidence=evidence)
    evidence["missing_backends"] = missing
    if report.last_result == "failure":
        evidence["last_error"] = visible_error(report.last_error, facts)
        cause = f"edge {edge.name} cannot apply the config and keeps the old one"
        return _found(Link.APPLIED, State.FAILING, route, cause, "config_apply_failed", evidence)
    what = f"{len(missing)} of {len(backends)} backends" if _has(edge, route) else "the route"
    waited_since = max((i.status_changed_at for i in backends if i.status_changed_at), default=None)
    is_overdue = facts.is_overdue(waited_since)
    return _found(
        Link.APPLIED,
        State.FAILING if is_overdue else State.WAITING,
        route,
        f"edge {edge.name} has not applied {what} yet",
        "edge_behind",
        evidence,
    )


def reachable(facts: Facts, route: RouteRecord, backends: Sequence[InstanceRecord]) -> Finding:
    """Whether every edge reaches every one of these backends."""
    idle = _found(Link.REACHABLE, State.NOT_APPLICABLE, route, "no backend is applied yet")
    wanted = {instance.instance_id: instance for instance in backends}
    found = (
        _reached_from(facts, edge, route, backend, is_fresh=facts.is_fresh(wanted[backend.instance_id]))
        for edge in facts.edges
        if edge.edge and _has(edge, route)
        for backend in edge.edge.routes[route.route_id].backends
        if backend.instance_id in wanted
    )
    return worst(found, idle)


def _reached_from(facts: Facts, edge: NodeRecord, route: RouteRecord, backend: BackendReport, *, is_fresh: bool) -> Finding:
    reason = backend.last_failure_reason or backend.gated
    evidence: dict[str, object] = {
        "edge": edge.name,
        "route_id": route.route_id,
        "address": backend.address,
        "state": backend.state,
        "gated": backend.gated,
        "last_failure_reason": backend.last_failure_reason,
        "age_seconds": facts.age(backend.checked_at),
    }
    if reason == _CLOSED_EARLY and route.proxy_protocol == "v2":
        evidence["hint"] = PROXY_HINT
    if facts.is_silent(edge.seen_at):
        state, reason, what = State.UNKNOWN, "edge_silent", "has gone silent; nobody knows whether it reaches"
    elif backend.gated in _GATED_BY_PLAN:
        state, reason, what = State.WAITING, backend.gated, "still holds back"
    elif backend.state == "unreachable" or backend.gated:
        state, reason, what = State.FAILING, reason or "unreachable", "does not send traffic to"
    elif reason == _CLOSED_EARLY:
        state, what = State.FAILING, "reaches but gets no answer from"
    elif backend.state == "unknown":
        state, reason, what = State.WAITING if is_fresh else State.UNKNOWN, "not_tried_yet", "has not tried"
    else:
        state, reason, what = State.OK, "", "reaches"
    because = f": {reason}" if reason and state is State.FAILING else ""
    return Finding(
        link=Link.REACHABLE,
        state=state,
        cause=f"edge {edge.name} {what} {backend.instance_id}{because}",
        reason_code=reason,
        evidence=evidence,
        subject=backend.instance_id,
    )


def _has(edge: NodeRecord, route: RouteRecord) -> bool:
    return edge.edge is not None and route.route_id in edge.edge.routes


def _found(
    link: Link,
    state: State,
    route: RouteRecord,
    cause: str,
    reason: str = "",
    evidence: dict[str, object] | None = None,
    *,
    since: str | None = None,
) -> Finding:
    return Finding(
        link=link,
        state=state,
        cause=cause,
        reason_code=reason,
        subject=route.route_id,
        evidence=dict(evidence or {}),
        since=since,
    )
