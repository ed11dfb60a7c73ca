"""One way to break each link of the served env, and the verdict it must be given: the examples that are the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from obslib.debug import Facts
from obslib.wire import (
    BackendReport,
    ComponentRecord,
    ComponentReport,
    DeployRecord,
    EdgeReport,
    GroupRecord,
    GroupReport,
    HealthReport,
    NodeReport,
    PlacedReport,
    ProjectionRecord,
    RouteReport,
)

TARGET = "--org acme --app shop --env prod"
Break = Callable[[Any], Facts]


def short_of_one(s: Any, **scheduler: Any) -> Facts:
    """One of two replicas has no node; ``scheduler`` is what the scheduler's last pass says."""
    record = ComponentRecord(component="scheduler", **({"seen_at": s.ago(1)} | scheduler))
    return s.served(instances=[s.instance(s.one)], components={"scheduler": record})


def blocked(s: Any) -> Facts:
    """The scheduler names a reason."""
    group = GroupReport(env_id=s.env, process_type="web", reason="no_capacity_memory", attempt=3, retry_in_seconds=2.0)
    return short_of_one(s, report=ComponentReport(cursor_event_id=12, groups=[group]))


def stale_views(s: Any) -> Facts:
    """The projector has stopped with events to apply."""
    view = ProjectionRecord(projection="env_scale", last_applied_event_id=3, newest_event_id=9, is_critical=True)
    return s.served(projections=[view], components={"projector": ComponentRecord(component="projector", seen_at=s.ago(90))})


def views_behind(s: Any) -> Facts:
    """The projector lives and does not keep up."""
    view = ProjectionRecord(projection="env_scale", last_applied_event_id=3, newest_event_id=5_004, is_critical=True)
    return s.served(projections=[view])


def out_of_memory(s: Any) -> Facts:
    """One replica is killed for its memory again and again, and happens to be booting at this moment."""
    failed = s.event(12, "instance.status_changed", s.two, status="failed", reason_code="oom_killed", termination_class="oom")
    end = {
        "boot_id": "boot_1",
        "report": {
            "termination_class": "oom", "reason_code": "oom_killed", "memory_limit_bytes": 64 * 2**20,
            "memory_peak_bytes": 63.5 * 2**20, "memory_usage_bytes": 60 * 2**20,
        },
    }  # fmt: skip
    booting = s.instance(s.two, status="booting", boot_id="boot_2", restarts=3, last_end=end)
    return s.served(instances=[s.instance(s.one), booting], events=[failed])


def up_again(s: Any, *, times: int, reason: str = "crash_loop_backoff", seconds_ago: float = 1.0) -> Facts:
    """Both replicas are ready; one of them ended so many times before, the last time so long ago."""
    ends = [
        s.event(12, "instance.status_changed", s.two, status="failed", reason_code=reason).model_copy(
            update={"occurred_at": s.ago(seconds_ago + 100 * before)}
        )
        for before in reversed(range(times))
    ]
    return s.served(events=ends)


def left_on_a_lost_node(s: Any) -> Facts:
    """Everything was moved off a node that is gone, which cannot say that the old instance has ended."""
    gone = s.agent(node_id="node_gone", name="agent-9", state="offline", seen_at=s.ago(75))
    old = s.instance("inst_old", node_id="node_gone", desired_state="stopped", desired_reason="node_offline")
    nodes = {s.agent_id: s.agent(), s.edge_id: s.edge(), "node_gone": gone}
    return s.served(instances=[s.instance(s.one), s.instance(s.two), old], nodes=nodes)


def crashing(s: Any) -> Facts:
    """One replica crashes again and again, and happens to be booting at this moment."""
    failed = s.event(12, "instance.status_changed", s.two, status="failed", reason_code="crash_loop_backoff")
    return s.served(instances=[s.instance(s.one), s.instance(s.two, status="booting", restarts=3)], events=[failed])


def given_up(s: Any) -> Facts:
    """Both replicas were given up after crashing, and are not replaced any more."""
    end = {
        "status": "failed",
        "is_final": True,
        "reason_code": "crash_loop_backoff",
        "termination_class": "crash",
        "desired_state": "stopped",
        "desired_reason": "replace_failed",
    }
    deploy = DeployRecord(deploy_id=s.deploy, release_id=s.release, status="failed", reason="replacements_exhausted")
    return s.served(instances=[s.instance(s.one, **end), s.instance(s.two, **end)], deploy=deploy)


def at_edge(s: Any, *backends: BackendReport, **report: Any) -> Facts:
    """The edge reports these backends."""
    routes = {s.route: RouteReport(listener_port=8080, backends=backends)}
    state = EdgeReport(**({"cursor_event_id": 12, "last_result": "success", "routes": routes} | report))
    return s.served(nodes={s.agent_id: s.agent(), s.edge_id: s.edge(edge=state)})


def seen(s: Any, instance_id: str, **changes: Any) -> BackendReport:
    """A backend as the edge sees it."""
    return BackendReport(**({"instance_id": instance_id, "state": "reachable", "checked_at": s.ago(2)} | changes))


def unhealthy(s: Any, result: str) -> Facts:
    """One replica's last health check gave ``result``."""
    good = PlacedReport(state="ready", health=HealthReport(last_result="pass"))
    health = HealthReport(last_result=result, consecutive_failures=4, last_checked_at=s.ago(1))  # type: ignore[arg-type]
    report = NodeReport(cursor_event_id=12, instances={s.one: good, s.two: PlacedReport(state="ready", health=health)})
    return s.served(nodes={s.agent_id: s.agent(report=report), s.edge_id: s.edge()})


def of_old(s: Any, facts: Facts) -> Facts:
    """The same, of instances that have been ready for longer than a reporter may be silent."""
    return replace(facts, instances=[s.instance(name, status_changed_at=s.ago(61)) for name in (s.one, s.two)])


CASES: dict[str, tuple[Break, tuple[str, str | None, str, str]]] = {
    "served": (lambda s: s.served(), ("converged", None, "", f"platform events tail {TARGET}")),
    "nothing": (
        lambda s: s.served(groups=[], routes=[], instances=[]),
        ("nothing_desired", None, "", f"platform deploy MANIFEST {TARGET}"),
    ),
    "views behind": (views_behind, ("unknown", "desired", "projection_lag", "platform describe convergence")),
    "views stale": (stale_views, ("unknown", "desired", "projector_silent", "platform describe convergence")),
    "scheduler says why": (
        blocked,
        ("degraded", "allocated", "no_capacity_memory", f"platform scale web=N {TARGET}"),
    ),
    "scheduler silent": (
        lambda s: short_of_one(s, seen_at=s.ago(61)),
        ("degraded", "allocated", "scheduler_silent", "platform describe convergence"),
    ),
    "scheduler never there": (
        lambda s: short_of_one(s, seen_at=None),
        ("degraded", "allocated", "scheduler_silent", "platform describe convergence"),
    ),
    "scheduler fails": (
        lambda s: short_of_one(s, report=ComponentReport(cursor_event_id=12, loop_error="OSError: no database")),
        ("degraded", "allocated", "scheduler_failing", "platform describe convergence"),
    ),
    "scheduler behind": (
        lambda s: short_of_one(s, report=ComponentReport(cursor_event_id=8)),
        ("converging", "allocated", "scheduler_behind", f"platform events tail {TARGET}"),
    ),
    "agent has not begun": (
        lambda s: s.served(instances=[s.instance(s.one), s.instance(s.two, status="")]),
        ("converging", "booted", "boot_pending", None),
    ),
    "agent takes too long": (
        lambda s: s.served(instances=[s.instance(s.one), s.instance(s.two, status="", created_at=s.ago(200))]),
        ("degraded", "booted", "boot_pending", None),
    ),
    "agent behind": (
        lambda s: s.served(instances=[s.instance(s.one), s.instance(s.two, status="", desired_event_id=99)]),
        ("converging", "booted", "agent_behind", None),
    ),
    "boot fails": (
        lambda s: s.served(
            instances=[
                s.instance(s.one),
                s.instance(s.two, status="failed", reason_code="image_pull_failed", termination_class="boot_failure"),
            ]
        ),
        ("degraded", "booted", "image_pull_failed", None),
    ),
    "booting": (
        lambda s: s.served(instances=[s.instance(s.one), s.instance(s.two, status="booting")]),
        ("converging", "ready", "not_ready_yet", None),
    ),
    "never ready": (
        lambda s: s.served(instances=[s.instance(s.one), s.instance(s.two, status="booting", status_changed_at=s.ago(121))]),
        ("degraded", "ready", "start_timeout", None),
    ),
    "out of memory": (out_of_memory, ("degraded", "ready", "oom_killed", None)),
    "up between two ends by memory": (
        lambda s: up_again(s, times=1, reason="oom_killed"),
        ("degraded", "ready", "oom_killed", None),
    ),
    "up between crashes": (lambda s: up_again(s, times=3), ("degraded", "ready", "crash_loop_backoff", None)),
    "up after a wobble": (lambda s: up_again(s, times=2), ("converged", None, "", f"platform events tail {TARGET}")),
    "up for good": (
        lambda s: up_again(s, times=3, seconds_ago=121),
        ("converged", None, "", f"platform events tail {TARGET}"),
    ),
    "crash loop": (crashing, ("degraded", "ready", "crash_loop_backoff", None)),
    "given up": (given_up, ("failing", "ready", "crash_loop_backoff", None)),
    "old instances on a lost node": (
        left_on_a_lost_node,
        ("converging", "allocated", "node_offline", "platform describe convergence"),
    ),
    "replacements of a lost node's instances boot": (
        lambda s: replace(
            left_on_a_lost_node(s),
            instances=[
                s.instance(s.one),
                s.instance(s.two, status="booting"),
                s.instance("inst_old", node_id="node_gone", desired_state="stopped", desired_reason="node_offline"),
            ],
        ),
        ("converging", "allocated", "node_offline", "platform describe convergence"),
    ),
    "agent silent": (
        lambda s: s.served(nodes={s.agent_id: s.agent(seen_at=s.ago(75)), s.edge_id: s.edge()}),
        ("unknown", "ready", "node_silent", "platform describe convergence"),
    ),
    "node offline": (
        lambda s: s.served(nodes={s.agent_id: s.agent(state="offline"), s.edge_id: s.edge()}),
        ("unknown", "ready", "node_offline", "platform describe convergence"),
    ),
    "no route": (
        lambda s: s.served(routes=[]),
        ("failing", "routed", "no_route", f"platform deploy MANIFEST {TARGET}"),
    ),
    "route to nowhere": (
        lambda s: s.served(
            groups=[GroupRecord(process_type="api", release_id=s.release, replicas=0)],
        ),
        ("failing", "routed", "route_without_group", f"platform deploy MANIFEST {TARGET}"),
    ),
    "no edge": (
        lambda s: s.served(nodes={s.agent_id: s.agent()}),
        ("failing", "applied", "no_edge", "platform describe edge"),
    ),
    "edge silent": (
        lambda s: s.served(nodes={s.agent_id: s.agent(), s.edge_id: s.edge(seen_at=s.ago(75))}),
        ("unknown", "applied", "edge_silent", "platform describe edge edge-1"),
    ),
    "edge behind": (
        lambda s: at_edge(s, routes={}),
        ("converging", "applied", "edge_behind", None),
    ),
    "edge cannot apply": (
        lambda s: at_edge(s, routes={}, last_result="failure", last_error="OSError: port 8080 of other.example taken"),
        ("failing", "applied", "config_apply_failed", "platform describe edge edge-1"),
    ),
    "edge cannot bind the port": (
        lambda s: at_edge(s, routes={s.route: RouteReport(listener_port=8080, problem="port_unavailable")}),
        ("failing", "applied", "port_unavailable", "platform describe edge edge-1"),
    ),
    "edge does not speak the protocol": (
        lambda s: at_edge(
            s,
            routes={
                s.route: RouteReport(
                    listener_port=8080, problem="protocol_unsupported", backends=[seen(s, s.one), seen(s, s.two)]
                )
            },
        ),
        ("failing", "applied", "protocol_unsupported", f"platform deploy MANIFEST {TARGET}"),
    ),
    "edge cannot bind another's port": (
        lambda s: at_edge(
            s,
            routes={
                s.route: RouteReport(listener_port=8080, backends=[seen(s, s.one), seen(s, s.two)]),
                "rt_other": RouteReport(listener_port=9090, problem="port_unavailable"),
            },
        ),
        ("converged", None, "", f"platform events tail {TARGET}"),
    ),
    "backend refused": (
        lambda s: at_edge(s, seen(s, s.one), seen(s, s.two, state="unreachable", last_failure_reason="refused")),
        ("degraded", "reachable", "refused", None),
    ),
    "backend does not speak PROXY v2": (
        lambda s: at_edge(s, seen(s, s.one), seen(s, s.two, last_failure_reason="closed_early")),
        ("degraded", "reachable", "closed_early", None),
    ),
    "backend gated": (
        lambda s: at_edge(s, seen(s, s.one), seen(s, s.two, gated="probe_failed")),
        ("degraded", "reachable", "probe_failed", None),
    ),
    "backend untried": (
        lambda s: of_old(s, at_edge(s, seen(s, s.one), seen(s, s.two, state="unknown"))),
        ("unknown", "reachable", "not_tried_yet", None),
    ),
    "fresh backend untried": (
        lambda s: at_edge(s, seen(s, s.one), seen(s, s.two, state="unknown")),
        ("converging", "reachable", "not_tried_yet", None),
    ),
    "edge still holds back": (
        lambda s: at_edge(s, seen(s, s.one), seen(s, s.two, gated="not_ready")),
        ("converging", "reachable", "not_ready", None),
    ),
    "health check fails": (lambda s: unhealthy(s, "fail"), ("degraded", "healthy", "healthcheck_failed", None)),
    "health unknown": (lambda s: of_old(s, unhealthy(s, "unknown")), ("unknown", "healthy", "health_unknown", None)),
    "health of a fresh instance": (lambda s: unhealthy(s, "unknown"), ("converging", "healthy", "health_unknown", None)),
    "old instances leave": (
        lambda s: s.served(
            instances=[
                s.instance(s.one),
                s.instance(s.two),
                s.instance("inst_old", release_id="rel_old", desired_state="draining", desired_reason="rollout_replace"),
            ]
        ),
        ("converging", "allocated", "old_instances_leave", None),
    ),
}
