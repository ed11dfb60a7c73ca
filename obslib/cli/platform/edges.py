"""``platform describe edge``: what each edge node serves, and what it cannot; for operators."""

from __future__ import annotations

from typing import Any

from obslib.cli.platform.flags import refuse_empty
from obslib.cli.platform.render import joined, seconds, style_of
from obslib.cli.platform.screen import Screen
from obslib.cli.platform.session import Session

__all__ = ["describe"]


def describe(session: Session, named: str | None) -> None:
    """Describe every edge, or the one that is named by id or name; needs an operator's token."""
    if named is not None:
        refuse_empty("NODE", named, hint="name the edge, or leave it out for all")
    found = session.api.get("/_debug/edges", node=named)
    if session.flags.is_json:
        session.screen.document(found)
    else:
        _render(session.screen, found, session.flags.is_verbose)


def _render(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    """Edges: the config of each, what it refuses, and its backends; those in rotation only when all are asked for."""
    verdict, cause = found.get("verdict", "unknown"), found.get("cause")
    screen.line(f"verdict: {verdict}" + (f" - {cause}" if cause else ""), style=style_of(str(verdict)))
    for item in found.get("edges") or ():
        _edge(screen, item, is_verbose)


def _edge(screen: Screen, item: dict[str, Any], is_verbose: bool) -> None:
    state, heard = str(item.get("state")), seconds(item.get("age_seconds"))
    screen.line(f"{item.get('name')} {state} {item.get('node_id')}", indent=2, style=style_of(state))
    screen.line(
        joined(
            ("applied", item.get("applied_event_id")),
            ("lag", item.get("lag_events")),
            ("result", item.get("last_result")),
            ("age", seconds(item.get("applied_age_seconds"))),
            ("last heard", f"{heard} ago" if heard else "never"),
        ),
        indent=4,
    )
    screen.pairs({"error": item.get("last_error"), "routes": item.get("routes")}, indent=4)
    for route in item.get("refused") or ():
        screen.line(
            f"refused {route.get('route_id')} on port {route.get('listener_port')}: {route.get('problem')}",
            indent=4,
            style="bold red",
        )
    backends = [b for b in item.get("backends") or () if isinstance(b, dict)]
    troubled = [b for b in backends if b.get("gated") or b.get("state") != "reachable"]
    screen.line(f"backends: {len(backends)}, {len(troubled)} not in rotation", indent=4)
    for backend in backends if is_verbose else troubled:
        _backend(screen, backend)


def _backend(screen: Screen, item: dict[str, Any]) -> None:
    screen.line(f"{item.get('instance_id')} {item.get('state')}", indent=6)
    screen.line(
        joined(
            ("at", item.get("address")),
            ("gated", item.get("gated")),
            ("", item.get("last_failure_reason")),
            ("age", seconds(item.get("age_seconds"))),
        ),
        indent=8,
    )
