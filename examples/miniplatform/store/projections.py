"""The views: what each event does to which of them, one small function per event type.

A function is pure: from an event to one statement. Applying the same events again, from any point, ends in the
same rows, so a projector that is killed anywhere may simply start over from its checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from miniplatform.store.events import Event

__all__ = ["CRITICAL", "PROJECTIONS", "Projector", "Write", "targets"]

Write = tuple[LiteralString, Mapping[str, Any]]
"""A statement and its parameters."""

Projector = Callable[[Event], Write]


def org_created(e: Event) -> Write:
    """The tenant."""
    return (
        "INSERT INTO orgs (org_id, name) VALUES (%(id)s, %(name)s) ON CONFLICT (org_id) DO NOTHING",
        {"id": e.aggregate_id, "name": e.payload["name"]},
    )


def app_created(e: Event) -> Write:
    """A service of an org."""
    return (
        "INSERT INTO apps (app_id, org_id, name) VALUES (%(id)s, %(org)s, %(name)s) ON CONFLICT (app_id) DO NOTHING",
        _row(e, name=e.payload["name"]),
    )


def env_created(e: Event) -> Write:
    """A deploy target of an app."""
    return (
        "INSERT INTO envs (env_id, org_id, app_id, name) VALUES (%(id)s, %(org)s, %(app)s, %(name)s)"
        " ON CONFLICT (env_id) DO NOTHING",
        _row(e, name=e.payload["name"]),
    )


def release_created(e: Event) -> Write:
    """An immutable manifest."""
    return (
        "INSERT INTO releases (release_id, org_id, app_id, manifest, manifest_hash, created_at)"
        " VALUES (%(id)s, %(org)s, %(app)s, %(manifest)s, %(hash)s, %(at)s) ON CONFLICT (release_id) DO NOTHING",
        _row(e, manifest=Jsonb(e.payload["manifest"]), hash=e.payload["manifest_hash"]),
    )


def deploy_created(e: Event) -> Write:
    """The act of moving an env to a release."""
    return (
        "INSERT INTO deploys (deploy_id, org_id, app_id, env_id, release_id, kind, status, created_at, changed_at)"
        " VALUES (%(id)s, %(org)s, %(app)s, %(env)s, %(release)s, %(kind)s, 'queued', %(at)s, %(at)s)"
        " ON CONFLICT (deploy_id) DO NOTHING",
        _row(e, release=e.payload["release_id"], kind=e.payload.get("kind", "deploy")),
    )


def deploy_status_changed(e: Event) -> Write:
    """How a deploy goes."""
    return (
        "UPDATE deploys SET status = %(status)s, reason = %(reason)s, changed_at = %(at)s WHERE deploy_id = %(id)s",
        _row(e, status=e.payload["status"], reason=e.payload.get("reason", "")),
    )


def env_desired_release_set(e: Event) -> Write:
    """The release each process type of an env should run; process types it no longer names go."""
    return (
        "WITH named AS (SELECT unnest(%(types)s::text[]) AS process_type),"
        " gone AS (DELETE FROM env_desired_releases WHERE env_id = %(id)s AND event_id < %(event)s"
        " AND process_type NOT IN (SELECT process_type FROM named))"
        " INSERT INTO env_desired_releases AS d"
        " (env_id, process_type, org_id, app_id, release_id, deploy_id, event_id, traceparent)"
        " SELECT %(id)s, process_type, %(org)s, %(app)s, %(release)s, %(deploy)s, %(event)s, %(trace)s FROM named"
        " ON CONFLICT (env_id, process_type) DO UPDATE SET release_id = EXCLUDED.release_id,"
        " deploy_id = EXCLUDED.deploy_id, event_id = EXCLUDED.event_id, traceparent = EXCLUDED.traceparent"
        " WHERE d.event_id < EXCLUDED.event_id",
        _row(e, types=list(e.payload["process_types"]), release=e.payload["release_id"], deploy=e.payload["deploy_id"]),
    )


def env_scale_set(e: Event) -> Write:
    """How many instances a process type of an env should have."""
    return (
        "INSERT INTO env_scale AS s (env_id, process_type, org_id, app_id, replicas, event_id, traceparent)"
        " VALUES (%(id)s, %(type)s, %(org)s, %(app)s, %(replicas)s, %(event)s, %(trace)s)"
        " ON CONFLICT (env_id, process_type) DO UPDATE SET replicas = EXCLUDED.replicas,"
        " event_id = EXCLUDED.event_id, traceparent = EXCLUDED.traceparent WHERE s.event_id < EXCLUDED.event_id",
        _row(e, type=e.payload["process_type"], replicas=e.payload["replicas"]),
    )


def route_created(e: Event) -> Write:
    """A hostname and port that lead to a process type."""
    return (
        "INSERT INTO routes (route_id, org_id, app_id, env_id, hostname, listener_port, process_type, backend_port,"
        " protocol, proxy_protocol, event_id, traceparent)"
        " VALUES (%(id)s, %(org)s, %(app)s, %(env)s, %(hostname)s, %(listener_port)s, %(process_type)s,"
        " %(backend_port)s, %(protocol)s, %(proxy_protocol)s, %(event)s, %(trace)s) ON CONFLICT (route_id) DO NOTHING",
        _row(e, **e.payload),
    )


def route_deleted(e: Event) -> Write:
    """The end of a route."""
    return "DELETE FROM routes WHERE route_id = %(id)s", _row(e)


def instance_allocated(e: Event) -> Write:
    """A replica placed on a node."""
    return (
        "INSERT INTO instances_desired (instance_id, org_id, app_id, env_id, process_type, release_id, deploy_id,"
        " node_id, assignment_id, desired_state, group_spec_hash, spec, event_id, traceparent, created_at, changed_at)"
        " VALUES (%(id)s, %(org)s, %(app)s, %(env)s, %(process_type)s, %(release_id)s, %(deploy_id)s, %(node_id)s,"
        " %(assignment_id)s, 'running', %(group_spec_hash)s, %(spec)s, %(event)s, %(trace)s, %(at)s, %(at)s)"
        " ON CONFLICT (instance_id) DO NOTHING",
        _row(e, **{**e.payload, "spec": Jsonb(e.payload["spec"])}),
    )


def instance_desired_state_changed(e: Event) -> Write:
    """What a replica should do from now on, and why."""
    return (
        "UPDATE instances_desired SET desired_state = %(state)s, desired_reason = %(reason)s, event_id = %(event)s,"
        " traceparent = coalesce(%(trace)s, traceparent), changed_at = %(at)s"
        " WHERE instance_id = %(id)s AND event_id < %(event)s",
        _row(e, state=e.payload["desired_state"], reason=e.payload.get("reason", "")),
    )


def instance_status_changed(e: Event) -> Write:
    """What a replica's node says of it."""
    absent = {"address": "", "port": None, "restarts": 0, "is_final": False, "exit_code": None}
    named = {key: e.payload.get(key) or "" for key in ("boot_id", "reason_code", "reason_detail", "termination_class")}
    return (
        "INSERT INTO instances_status AS s (instance_id, org_id, env_id, node_id, status, boot_id, address, port,"
        " reason_code, reason_detail, termination_class, exit_code, restarts, is_final, event_id, traceparent, changed_at)"
        " VALUES (%(id)s, %(org)s, %(env)s, %(node_id)s, %(status)s, %(boot_id)s, %(address)s, %(port)s,"
        " %(reason_code)s, %(reason_detail)s, %(termination_class)s, %(exit_code)s, %(restarts)s, %(is_final)s,"
        " %(event)s, %(trace)s, %(at)s)"
        " ON CONFLICT (instance_id) DO UPDATE SET node_id = EXCLUDED.node_id, status = EXCLUDED.status,"
        " boot_id = EXCLUDED.boot_id, address = EXCLUDED.address, port = EXCLUDED.port,"
        " reason_code = EXCLUDED.reason_code, reason_detail = EXCLUDED.reason_detail,"
        " termination_class = EXCLUDED.termination_class, exit_code = EXCLUDED.exit_code, restarts = EXCLUDED.restarts,"
        " is_final = EXCLUDED.is_final, event_id = EXCLUDED.event_id, traceparent = EXCLUDED.traceparent,"
        " changed_at = EXCLUDED.changed_at WHERE s.event_id < EXCLUDED.event_id",
        _row(e, **{**absent, **e.payload, **named}),
    )


def node_enrolled(e: Event) -> Write:
    """A machine that joins, or joins again under a new address."""
    return (
        "INSERT INTO nodes (node_id, name, kind, state, address, memory_bytes)"
        " VALUES (%(id)s, %(name)s, %(kind)s, 'active', %(address)s, %(memory_bytes)s)"
        " ON CONFLICT (node_id) DO UPDATE SET address = EXCLUDED.address, memory_bytes = EXCLUDED.memory_bytes",
        _row(e, **e.payload),
    )


def node_state_changed(e: Event) -> Write:
    """Whether a machine takes part."""
    return "UPDATE nodes SET state = %(state)s WHERE node_id = %(id)s", _row(e, state=e.payload["state"])


PROJECTIONS: Mapping[str, Mapping[str, Projector]] = {
    "orgs": {"org.created": org_created},
    "apps": {"app.created": app_created},
    "envs": {"env.created": env_created},
    "releases": {"release.created": release_created},
    "deploys": {"deploy.created": deploy_created, "deploy.status_changed": deploy_status_changed},
    "env_desired_releases": {"env.desired_release_set": env_desired_release_set},
    "env_scale": {"env.scale_set": env_scale_set},
    "routes": {"route.created": route_created, "route.deleted": route_deleted},
    "instances_desired": {
        "instance.allocated": instance_allocated,
        "instance.desired_state_changed": instance_desired_state_changed,
    },
    "instances_status": {"instance.status_changed": instance_status_changed},
    "nodes": {"node.enrolled": node_enrolled, "node.state_changed": node_state_changed},
}
"""Every projection and the event types it consumes."""

CRITICAL = frozenset({"env_desired_releases", "env_scale", "instances_desired", "instances_status", "routes", "nodes"})
"""Projections without which nothing converges."""


def targets(event_types: Sequence[str], event_ids: Sequence[int]) -> dict[str, int]:
    """For each projection that consumes any of these events, the newest id of them it has to reach."""
    reached: dict[str, int] = {}
    for event_type, event_id in zip(event_types, event_ids, strict=True):
        reached.update({name: event_id for name, consumed in PROJECTIONS.items() if event_type in consumed})
    return reached


def _row(e: Event, **columns: Any) -> dict[str, Any]:
    envelope = {
        "id": e.aggregate_id, "org": e.org_id, "app": e.app_id, "env": e.env_id,
        "event": e.event_id, "trace": e.traceparent, "at": e.occurred_at,
    }  # fmt: skip
    return {**columns, **envelope}
