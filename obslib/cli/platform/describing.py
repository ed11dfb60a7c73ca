"""``platform describe``: fetch a description and show it."""

from __future__ import annotations

from typing import Any

from obslib.cli.platform import render
from obslib.cli.platform.context import Target, check_id
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.session import Session

__all__ = ["convergence", "env", "instance", "route"]


def env(session: Session, named: str | None) -> None:
    """Describe the env that is named, or the one in the target."""
    target = session.target("org", "app", "env", env=named)
    found = session.api.get(session.env_path(target, "describe"))
    _show(session, found, render.env)


def route(session: Session, named: str) -> None:
    """Describe a route by id, or by the hostname and port that it binds."""
    check_id("route", named)
    target = session.target("org", "app", "env")
    route_id = named if named.startswith("rt_") else _by_hostname(session, target, named)
    found = session.api.get(session.env_path(target, "routes", route_id, "describe"))
    _show(session, found, render.route)


def instance(session: Session, named: str) -> None:
    """Describe an instance by id."""
    check_id("instance", named)
    target = session.target("org", "app", "env")
    found = session.api.get(session.env_path(target, "instances", named, "describe"))
    _show(session, found, render.instance)


def convergence(session: Session) -> None:
    """Describe how far projections and consumers have come; needs an operator's token."""
    _show(session, session.api.get("/_debug/convergence"), render.convergence)


def _by_hostname(session: Session, target: Target, named: str) -> str:
    hostname, _, port = named.partition(":")
    for item in session.api.items(session.env_path(target, "routes")):
        if item.get("hostname") == hostname and port in ("", str(item.get("listener_port"))):
            return str(item["route_id"])
    raise CliFailure(
        Category.NOT_FOUND,
        f"there is no route {named!r} in {target.env}",
        hint="see what there is with: platform routes list",
        resource=("route", "", named),
    )


def _show(session: Session, found: dict[str, Any], renderer: render.Renderer) -> None:
    if session.flags.is_json:
        session.screen.document(found)
    else:
        renderer(session.screen, found, session.flags.is_verbose)
