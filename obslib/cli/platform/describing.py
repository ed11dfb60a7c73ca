"""``platform describe``: fetch a description and show it."""

from __future__ import annotations

from typing import Any

from obslib.cli.platform import render
from obslib.cli.platform.context import check_id
from obslib.cli.platform.lookup import route_id_of
from obslib.cli.platform.session import Session

__all__ = ["convergence", "env", "instance", "route"]


def env(session: Session, named: str | None) -> None:
    """Describe the env that is named, or the one in the target."""
    target = session.target("org", "app", "env", env=named)
    found = session.api.get(session.env_path(target, "describe"))
    _show(session, found, render.env)


def route(session: Session, named: str) -> None:
    """Describe a route by id, or by the hostname and port that it binds."""
    target = session.target("org", "app", "env")
    found = session.api.get(session.env_path(target, "routes", route_id_of(session, target, named), "describe"))
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


def _show(session: Session, found: dict[str, Any], renderer: render.Renderer) -> None:
    if session.flags.is_json:
        session.screen.document(found)
    else:
        renderer(session.screen, found, session.flags.is_verbose)
