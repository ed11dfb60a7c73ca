"""View records of what a tenant asked for: an env, its groups, its deploy, its routes."""

from __future__ import annotations

from obslib.wire.moment import Moment
from obslib.wire.record import Record, Text

__all__ = ["BackendRecord", "DeployRecord", "EnvRecord", "GroupRecord", "RouteRecord"]


class EnvRecord(Record):
    """A deploy target of an app, with the names on the way to it."""

    env_id: str
    org_id: str
    app_id: str
    name: str
    app_name: str = ""
    org_name: str = ""


class DeployRecord(Record):
    """The newest deploy of an env."""

    deploy_id: str
    release_id: str
    status: str
    reason: Text = ""
    kind: str = ""
    created_at: Moment | None = None
    changed_at: Moment | None = None


class GroupRecord(Record):
    """What is desired of one process type; ids are empty before a deploy. ``event_id`` is the newest event behind it."""

    process_type: str
    release_id: str = ""
    deploy_id: str = ""
    replicas: int = 0
    secrets_version: str | None = None
    event_id: int = 0


class RouteRecord(Record):
    """Hostname and listener port bound to a process type of an env."""

    route_id: str
    env_id: str
    hostname: str
    listener_port: int
    process_type: str
    backend_port: int = 0
    protocol: str = "tcp_raw"
    proxy_protocol: str = "off"
    event_id: int = 0


class BackendRecord(Record):
    """An instance behind a route, as the control plane would route to it."""

    instance_id: str
    node_id: str
    address: str = ""
    port: int | None = None
    state: str = "not_ready"
