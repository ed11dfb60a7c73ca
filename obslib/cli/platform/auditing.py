"""``platform audit``: who read what and who changed what, as one timeline."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from obslib.cli.platform.api import path
from obslib.cli.platform.context import check_id
from obslib.cli.platform.events import moment
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.grouping import Holder, group
from obslib.cli.platform.lookup import narrowed
from obslib.cli.platform.session import Session

__all__ = ["commands", "query", "verify"]


def commands(holder: Holder) -> typer.Typer:
    """The ``audit`` group."""
    audit = group("Who read what, and who changed what.", "audit")

    @audit.command("query")
    def query_command(
        since: Annotated[str, typer.Option(help="RFC 3339 time or how long ago: 90s, 10m, 2h, 1d.")] = "1d",
        until: Annotated[str, typer.Option(help="The same, for the end.")] = "",
        route: Annotated[str, typer.Option(help="Only what concerns this route id.")] = "",
        limit: Annotated[int, typer.Option(help="How many entries at most, the newest.", min=1, max=199)] = 50,
        all_envs: Annotated[bool, typer.Option("--all-envs", help="Of the whole org, not of one env.")] = False,
    ) -> None:
        """One timeline of the org: accesses from the audit trail, changes from the event log; of one env, app or all of it.

        An access is a log query or tail, an event stream, what an operator looked at, or a refusal; a change is an event
        of the log, which is the audit of every mutation. Refusals and reads of the audit itself belong to no env: see them
        with --all-envs. Needs the scope audit:read, and this very query is on record as well.
        """
        query(holder["session"], since=since, until=until, route=route, limit=limit, is_all=all_envs)

    @audit.command("verify")
    def verify_command(
        head: Annotated[str, typer.Option(help="A head noted earlier, to see whether records were cut off since.")] = "",
    ) -> None:
        """Check that no record of the org's audit trail was changed, removed or moved; exit code 1 when one was.

        It prints the trail's head. Note it somewhere else: only with it can be seen later that the newest records are gone.
        """
        verify(holder["session"], head=head)

    return audit


def verify(session: Session, *, head: str) -> None:
    """Say whether the chain is whole; raises CliFailure when it is not."""
    target = session.target("org")
    found = session.api.get(path("orgs", target.org, "audit", "verify"), head=head)
    if session.flags.is_json:
        session.screen.document(found)
    elif found.get("is_whole"):
        session.screen.line(f"whole: {found.get('records')} records")
        session.screen.line(f"head: {found.get('head')}")
    breach = found.get("breach")
    if isinstance(breach, dict):
        raise CliFailure(
            Category.FAILURE,
            f"the audit trail is broken at record {breach.get('seq')} ({breach.get('kind')}): it and what follows is in doubt",
            hint="keep the database as it is, and tell the platform's operators",
        )


def query(session: Session, *, since: str, until: str, route: str, limit: int, is_all: bool) -> None:
    """Show the newest entries that match, oldest first."""
    target, now = session.target("org"), session.clock.now()
    if route:
        check_id("route", route if route.startswith("rt_") else f"rt_{route}")
    found = session.api.get(
        path("orgs", target.org, "audit"),
        **narrowed(session, target, is_all=is_all),
        route_id=route,
        since=moment(since, now),
        until=moment(until, now),
        limit=limit,
    )
    if session.flags.is_json:
        session.screen.document(found)
        return
    items = found.get("items") or []
    for entry in items:
        session.screen.line(_line(entry), style="" if entry.get("decision") == "allow" else "red")
    if not items:
        session.screen.note("nothing is on record")
    if found.get("is_cut"):
        session.screen.note(f"there is more: ask for it with --until {items[0].get('timestamp') if items else until}")


def _line(entry: dict[str, Any]) -> str:
    """``2026-… access logs.query env_id=env_… by user usr_… (12 lines, ok)``."""
    who = f"by {entry.get('actor_type') or 'somebody'} {entry.get('actor_id') or ''}".strip()
    decision = "denied" if entry.get("decision") == "deny" else str(entry.get("kind") or "entry")
    parts = (str(entry.get("timestamp") or ""), decision, str(entry.get("action") or ""), _what(entry), who, _end(entry))
    return " ".join(part for part in parts if part)


def _what(entry: dict[str, Any]) -> str:
    if entry.get("kind") == "change":
        return str(entry.get("resource_id") or "")
    selectors = entry.get("selectors") if isinstance(entry.get("selectors"), dict) else {}
    asked = [f"{name}={value}" for name, value in (selectors or {}).items()]
    return " ".join([*asked, *(f"{edge}={entry[edge]}" for edge in ("since", "until") if entry.get(edge))])


def _end(entry: dict[str, Any]) -> str:
    lines, is_of_logs = entry.get("lines"), str(entry.get("action")).startswith("logs.")
    told = [f"{lines} lines"] if lines or (lines == 0 and is_of_logs) else []
    if entry.get("kind") == "access":
        told.append(str(entry.get("reason") if entry.get("decision") == "deny" else entry.get("result") or ""))
    if entry.get("emergency_reason"):
        told.append(f"emergency: {entry['emergency_reason']}")
    return f"({', '.join(filter(None, told))})" if any(told) else ""
