"""``platform changes``: what changed lately, by whom, from what to what."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from obslib.cli.platform.api import path
from obslib.cli.platform.events import moment
from obslib.cli.platform.lookup import narrowed
from obslib.cli.platform.session import Session

__all__ = ["changes", "what", "who"]


def changes(session: Session, *, since: str, until: str, limit: int, is_all: bool, with_instances: bool) -> None:
    """Show the changes of the env that is named, else of the app, else of the org."""
    target = session.target("org")
    now = session.clock.now()
    found = session.api.get(
        path("orgs", target.org, "changes"),
        **narrowed(session, target, is_all=is_all),
        since=moment(since, now),
        until=moment(until, now),
        limit=limit,
        instances="true" if with_instances else None,
    )
    if session.flags.is_json:
        session.screen.document(found)
        return
    for _, of_event in groupby(found.get("changes") or (), key=lambda change: change.get("event_id")):
        lines = list(of_event)
        session.screen.line(f"{lines[0].get('at')} #{lines[0].get('event_id')} {who(lines[0])}", style="bold")
        for change in lines:
            session.screen.line(what(change), indent=2)
    if not found.get("changes"):
        session.screen.note("nothing changed")
    if found.get("is_cut"):
        session.screen.note(
            f"there is more: these are the newest {found.get('events')} events, complete since"
            f" {found.get('complete_since')}; ask for more with --limit, or until that time with --until"
        )


def who(change: dict[str, Any]) -> str:
    """``user usr_…``."""
    return f"{change.get('actor_type') or 'somebody'} {change.get('actor_id') or ''}".strip()


def what(change: dict[str, Any]) -> str:
    """``env env_… web.replicas: 2 -> 3``, ``route rt_… created hostname=…``."""
    subject = f"{change.get('resource_type')} {change.get('resource_id')}"
    if change.get("action") == "created":
        return " ".join([subject, "created", *_pairs(change.get("new"))])
    if change.get("action") == "deleted":
        return " ".join([subject, "deleted", *_pairs(change.get("old"))])
    old = _value(change.get("old")) if change.get("is_old_known", True) else "unknown"
    return f"{subject} {change.get('field')}: {old} -> {_value(change.get('new'))}"


def _pairs(values: Any) -> list[str]:
    return [f"{name}={_value(value)}" for name, value in values.items()] if isinstance(values, dict) else []


def _value(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
