"""From a name to an id, by the lists that the token may read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from obslib.cli.platform.api import path
from obslib.cli.platform.context import Target, check_id
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.session import Session

__all__ = ["app_id_of", "env_id_of", "find", "narrowed", "route_id_of"]


def find(items: Iterable[dict[str, Any]], kind: str, named: str) -> str | None:
    """The id of the item that has this id or name; ``None`` when there is none."""
    key = f"{kind}_id"
    return next((str(item[key]) for item in items if key in item and named in (item[key], item.get("name"))), None)


def app_id_of(session: Session, target: Target) -> str:
    """The id of the target's app; raises CliFailure when there is none."""
    found = find(session.api.items(path("orgs", target.org, "apps")), "app", target.app)
    if found is None:
        raise _missing("app", target.app, "platform apps list")
    return found


def env_id_of(session: Session, target: Target) -> str:
    """The id of the target's env; raises CliFailure when there is none."""
    found = find(session.api.items(session.app_path(target, "envs")), "env", target.env)
    if found is None:
        raise _missing("env", target.env, "platform envs list")
    return found


def route_id_of(session: Session, target: Target, named: str) -> str:
    """The id of a route of the target's env, named by id or as ``HOSTNAME[:PORT]``; raises CliFailure for no such name."""
    check_id("route", named)
    if named.startswith("rt_"):
        return named
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


def narrowed(session: Session, target: Target, *, is_all: bool) -> dict[str, str]:
    """The filter for the target's env, else its app; none for the whole org.

    Raises CliFailure for one that is not there, also when it is named by id: an answer without events would be taken for one
    about it.
    """
    if not is_all and target.env:
        return {"env_id": env_id_of(session, target.need("app", "env"))}
    if not is_all and target.app:
        return {"app_id": app_id_of(session, target.need("app"))}
    return {}


def _missing(kind: str, named: str, command: str) -> CliFailure:
    return CliFailure(
        Category.NOT_FOUND,
        f"there is no {kind} {named!r} that this token can see",
        hint=f"see what there is with: {command}",
        resource=(kind, "", named),
    )
