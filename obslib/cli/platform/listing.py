"""The small commands: who am I, what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from obslib.cli.platform.api import path
from obslib.cli.platform.lookup import route_id_of
from obslib.cli.platform.session import Session

__all__ = ["apps", "create_org", "delete_route", "envs", "instances", "routes", "whoami"]


def whoami(session: Session) -> None:
    """Show the token's actor, org and scopes."""
    found = session.api.get(path("whoami"))
    if session.flags.is_json:
        session.screen.document(found)
        return
    scopes = found.get("scopes") or []
    session.screen.pairs({key: found.get(key) for key in ("actor_type", "actor_id", "org_name", "org_id")})
    session.screen.line(f"scopes: {' '.join(sorted(str(scope) for scope in scopes)) or 'none'}")


def create_org(session: Session, name: str) -> None:
    """Make an org."""
    made = session.api.send("POST", path("orgs"), {"name": name})
    if session.flags.is_json:
        session.screen.document({**made, "trace_id": session.trace_id})
    else:
        session.screen.line(f"org {made.get('name', name)} {made.get('org_id', '')}")


def apps(session: Session) -> None:
    """List the org's apps."""
    target = session.target("org")
    _show(session, session.api.items(path("orgs", target.org, "apps")), ("name", "app_id"))


def envs(session: Session) -> None:
    """List the app's envs."""
    target = session.target("org", "app")
    _show(session, session.api.items(session.app_path(target, "envs")), ("name", "env_id"))


def routes(session: Session) -> None:
    """List the env's routes."""
    target = session.target("org", "app", "env")
    shown = ("hostname", "listener_port", "process_type", "protocol", "route_id")
    _show(session, session.api.items(session.env_path(target, "routes")), shown)


def instances(session: Session) -> None:
    """List the env's instances."""
    target = session.target("org", "app", "env")
    shown = ("process_type", "status", "desired_state", "node_id", "reason_code", "instance_id")
    _show(session, session.api.items(session.env_path(target, "instances")), shown)


def delete_route(session: Session, named: str) -> None:
    """Delete a route, when the user agrees."""
    target = session.target("org", "app", "env")
    route_id = route_id_of(session, target, named)
    session.confirm(f"deleting route {named}")
    gone = session.api.send("DELETE", session.env_path(target, "routes", route_id))
    if session.flags.is_json:
        session.screen.document({"route_id": route_id, **gone, "trace_id": session.trace_id})
    else:
        session.screen.line(f"deleted {route_id}")


def _show(session: Session, items: Any, shown: Sequence[str]) -> None:
    """One line per item, ids last and whole; ``{"items": […]}`` under ``--json``."""
    found = list(items)
    if session.flags.is_json:
        session.screen.document({"items": found})
        return
    for item in found:
        session.screen.line(" ".join(str(item[key]) for key in shown if item.get(key) not in (None, "")))
    if not found:
        session.screen.note("there are none")
