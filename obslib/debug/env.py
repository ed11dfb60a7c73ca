"""``platform describe env``: the four questions about one env (OBJ-02 to OBJ-05)."""

from __future__ import annotations

from obslib.access import Grant
from obslib.debug.conditions import conditions, last_transition
from obslib.debug.facts import Facts, gather, has_ended
from obslib.debug.placed import placed
from obslib.debug.route import routing
from obslib.debug.timeline import event_lines
from obslib.debug.verdict import VerdictName, judge
from obslib.debug.views import Views

__all__ = ["describe_env", "env_description", "env_status", "status_of_env"]

_HEALTH = {
    VerdictName.CONVERGED: "healthy",
    VerdictName.NOTHING_DESIRED: "healthy",
    VerdictName.FAILING: "failing",
    VerdictName.UNKNOWN: "unknown",
}


async def describe_env(
    views: Views, grant: Grant, env_id: str, *, now: float, silent_after_s: float = 60.0, patience_s: float = 120.0
) -> dict[str, object]:
    """Gather and describe an env; needs ``envs:read``. Raises AccessDenied, as for a missing one, for a foreign env."""
    return env_description(await gather(views, grant, env_id, now=now, silent_after_s=silent_after_s, patience_s=patience_s))


async def env_status(
    views: Views, grant: Grant, env_id: str, *, now: float, silent_after_s: float = 60.0, patience_s: float = 120.0
) -> dict[str, object]:
    """Gather and sum up an env; needs ``envs:read``."""
    return status_of_env(await gather(views, grant, env_id, now=now, silent_after_s=silent_after_s, patience_s=patience_s))


def env_description(facts: Facts) -> dict[str, object]:
    """The whole description: JSON-able, fields are only ever added."""
    env = facts.env
    judgement, groups = judge(facts)
    instances = [placed(facts, instance) for instance in facts.instances]
    since = last_transition(facts)
    return {
        "kind": "env",
        "id": env.env_id,
        "name": env.name,
        "app_id": env.app_id,
        "app_name": env.app_name,
        "org_id": env.org_id,
        "org_name": env.org_name,
        "desired": _desired(facts),
        "running": [line for line, instance in zip(instances, facts.instances, strict=True) if not has_ended(instance)],
        "instances": instances,
        "routing": [routing(facts, route) for route in facts.routes],
        "convergence": {
            **judgement.as_dict(),
            "groups": {name: _group_line(group.as_dict()) for name, group in groups.items()},
            "views": _views(facts),
        },
        "conditions": conditions(judgement, since),
        "last_transition": since,
        "recent_events": event_lines(facts.events),
        "related": _related(facts),
    }


def status_of_env(facts: Facts) -> dict[str, object]:
    """The short form: state (healthy, degraded, failing, unknown), counts, releases, routes, last error."""
    judgement, groups = judge(facts)
    ready = sum(instance.status == "ready" and not has_ended(instance) for instance in facts.instances)
    return {
        "env_id": facts.env.env_id,
        "state": _HEALTH.get(judgement.verdict, "degraded"),
        "verdict": str(judgement.verdict),
        "first_failing_link": str(judgement.broken.link) if judgement.broken else None,
        "cause": judgement.broken.cause if judgement.broken else judgement.note,
        "reason_code": judgement.broken.reason_code if judgement.broken else "",
        "next_command": judgement.advice.command,
        "releases": {group.process_type: group.release_id for group in facts.groups},
        "deploy": facts.deploy.model_dump() if facts.deploy else None,
        "instances": {
            "desired": sum(group.replicas for group in facts.groups),
            "running": sum(not has_ended(instance) for instance in facts.instances),
            "ready": ready,
            "serving": judgement.serving,
        },
        "process_types": {
            name: {"verdict": str(group.verdict), "serving": group.serving, "replicas": group.wanted}
            for name, group in groups.items()
        },
        "routes": [
            {
                "route_id": route.route_id,
                "hostname": route.hostname,
                "listener_port": route.listener_port,
                "process_type": route.process_type,
            }
            for route in facts.routes
        ],
    }


def _desired(facts: Facts) -> list[dict[str, object]]:
    deploy = facts.deploy
    return [
        {
            "process_type": group.process_type,
            "release_id": group.release_id,
            "deploy_id": group.deploy_id,
            "deploy_status": deploy.status if deploy and deploy.deploy_id == group.deploy_id else None,
            "replicas": group.replicas,
            "secrets_version": group.secrets_version,
            "event_id": group.event_id,
        }
        for group in facts.groups
    ]


def _group_line(judgement: dict[str, object]) -> dict[str, object]:
    kept = ("verdict", "first_failing_link", "cause", "reason_code", "subject", "serving", "wanted")
    return {key: judgement[key] for key in kept}


def _views(facts: Facts) -> dict[str, object]:
    projector = facts.components.get("projector")
    return {
        "lag_events": max((view.lag_events for view in facts.projections if view.is_critical), default=None),
        "projector_age_seconds": facts.age(projector.seen_at if projector else None),
    }


def _related(facts: Facts) -> dict[str, object]:
    return {
        "app_id": facts.env.app_id,
        "org_id": facts.env.org_id,
        "deploy_id": facts.deploy.deploy_id if facts.deploy else None,
        "route_ids": [route.route_id for route in facts.routes],
        "node_ids": sorted({instance.node_id for instance in facts.instances if instance.node_id}),
    }
