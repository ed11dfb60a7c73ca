"""A served env, and ways to break it one link at a time."""

from __future__ import annotations

from typing import Any

from obslib.debug import Facts
from obslib.wire import (
    BackendReport,
    ComponentRecord,
    ComponentReport,
    DeployRecord,
    EdgeReport,
    EnvRecord,
    EventRecord,
    GroupRecord,
    HealthReport,
    InstanceRecord,
    NodeRecord,
    NodeReport,
    PlacedReport,
    ProjectionRecord,
    RouteRecord,
    RouteReport,
    rfc3339,
)

NOW = 1_766_000_000.0
ULID = "01ARZ3NDEKTSV4RRFFQ69G5F"
ORG, APP, ENV = f"org_{ULID}0A", f"app_{ULID}0A", f"env_{ULID}0A"
RELEASE, DEPLOY, ROUTE = f"rel_{ULID}0A", f"dep_{ULID}0A", f"rt_{ULID}0A"
AGENT, EDGE = f"node_{ULID}0A", f"node_{ULID}0E"
ONE, TWO = f"inst_{ULID}01", f"inst_{ULID}02"


def ago(seconds: float) -> str:
    """The moment ``seconds`` before now."""
    return rfc3339(NOW - seconds)


def instance(instance_id: str, **changes: Any) -> InstanceRecord:
    """A ready instance of the desired release."""
    ready = {
        "instance_id": instance_id,
        "env_id": ENV,
        "process_type": "web",
        "release_id": RELEASE,
        "deploy_id": DEPLOY,
        "node_id": AGENT,
        "desired_event_id": 10,
        "created_at": ago(30),
        "desired_changed_at": ago(30),
        "status": "ready",
        "boot_id": "boot_1",
        "address": "127.0.0.1",
        "port": 9000,
        "status_event_id": 11,
        "status_changed_at": ago(20),
    }
    return InstanceRecord.model_validate(ready | changes)


def agent(**changes: Any) -> NodeRecord:
    """An agent that was just heard and checked both instances."""
    passing = PlacedReport(state="ready", health=HealthReport(last_result="pass", last_checked_at=ago(1)))
    report = NodeReport(cursor_event_id=12, instances={ONE: passing, TWO: passing})
    record = {"node_id": AGENT, "name": "agent-1", "kind": "agent", "seen_at": ago(1), "report": report}
    return NodeRecord.model_validate(record | changes)


def edge(**changes: Any) -> NodeRecord:
    """An edge that was just heard and reaches both backends."""
    backends = [
        BackendReport(instance_id=name, address="127.0.0.1:9000", state="reachable", checked_at=ago(2)) for name in (ONE, TWO)
    ]
    report = EdgeReport(
        cursor_event_id=12,
        applied_event_id=12,
        last_result="success",
        applied_at=ago(3),
        routes={ROUTE: RouteReport(listener_port=8080, backends=backends)},
    )
    record = {"node_id": EDGE, "name": "edge-1", "kind": "edge", "seen_at": ago(1), "edge": report}
    return NodeRecord.model_validate(record | changes)


def event(event_id: int, event_type: str, aggregate_id: str, **payload: object) -> EventRecord:
    """An event of the env."""
    kind = event_type.partition(".")[0]
    return EventRecord(
        event_id=event_id,
        event_type=event_type,
        aggregate_type=kind,
        aggregate_id=aggregate_id,
        occurred_at=ago(40 - event_id),
        actor_type="user",
        actor_id="usr_1",
        org_id=ORG,
        env_id=ENV,
        payload=payload,
    )


def served(**changes: Any) -> Facts:
    """An env whose two web replicas are served by one edge; ``changes`` replace fields of the facts."""
    facts: dict[str, Any] = {
        "env": EnvRecord(env_id=ENV, org_id=ORG, app_id=APP, name="prod", app_name="shop", org_name="acme"),
        "now": NOW,
        "deploy": DeployRecord(
            deploy_id=DEPLOY, release_id=RELEASE, status="succeeded", created_at=ago(30), changed_at=ago(19)
        ),
        "groups": [GroupRecord(process_type="web", release_id=RELEASE, deploy_id=DEPLOY, replicas=2, event_id=9)],
        "instances": [instance(ONE), instance(TWO)],
        "routes": [
            RouteRecord(route_id=ROUTE, env_id=ENV, hostname="shop.example", listener_port=8080, process_type="web", event_id=8)
        ],
        "nodes": {AGENT: agent(), EDGE: edge()},
        "components": {
            name: ComponentRecord(component=name, seen_at=ago(1), report=ComponentReport(cursor_event_id=12, head_event_id=12))
            for name in ("scheduler", "projector")
        },
        "projections": [
            ProjectionRecord(projection="instances_desired", last_applied_event_id=10, newest_event_id=10, is_critical=True)
        ],
        "events": [event(10, "instance.allocated", ONE), event(11, "instance.status_changed", ONE, status="ready")],
    }
    return Facts(**(facts | changes))


class Scene:
    """What a test needs to build facts: the served env, its parts and its ids."""

    served = staticmethod(served)
    instance = staticmethod(instance)
    agent = staticmethod(agent)
    edge = staticmethod(edge)
    event = staticmethod(event)
    ago = staticmethod(ago)
    now, org, app, env, release, deploy, route = NOW, ORG, APP, ENV, RELEASE, DEPLOY, ROUTE
    agent_id, edge_id, one, two = AGENT, EDGE, ONE, TWO
