"""``platform why``: the first broken link, what changed before it broke, and what to do next."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any

import typer

from obslib.cli.platform import differing
from obslib.cli.platform.grouping import Holder, group
from obslib.cli.platform.render import evidence, seconds, style_of
from obslib.cli.platform.screen import Screen
from obslib.cli.platform.session import Session

__all__ = ["commands", "explain_env"]


def commands(holder: Holder) -> typer.Typer:
    """The group ``why``."""
    why = group("Say why something does not work, in one answer.", "why")

    @why.command("env")
    def why_env(env: Annotated[str | None, typer.Argument(show_default=False)] = None) -> None:
        """Why an env does not converge or serve: the first broken link, what changed before, what to do.

        Walks desired, allocated, booted, ready, routed, applied, reachable, healthy. The answer is the output: exit
        code 0 whatever the verdict; a script reads is_healthy, verdict and reason_code under --json.
        """
        explain_env(holder["session"], env)

    return why


def explain_env(session: Session, named: str | None) -> None:
    """Explain the env that is named, or the one in the target."""
    target = session.target("org", "app", "env", env=named)
    found = session.api.get(session.env_path(target, "why"))
    if session.flags.is_json:
        session.screen.document(found)
    else:
        _render(session.screen, found, session.flags.is_verbose)


def _render(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    """The answer first, then the links it rests on, then what to do."""
    verdict = str(found.get("verdict", "unknown"))
    broken = found.get("first_broken") or {}
    screen.line(f"env {found.get('name', '')} of {found.get('app_name', '')} {found.get('id', '')}", style="bold")
    health = "healthy" if found.get("is_healthy") else f"{verdict} at {broken['link']}" if broken else verdict
    screen.line(f"verdict: {health}", style=style_of(verdict))
    screen.pairs({"why": found.get("answer"), "reason": found.get("reason_code")}, indent=2)
    if broken.get("since"):
        screen.pairs({"since": f"{broken['since']}, {seconds(broken.get('age_seconds'))} ago"}, indent=2)
    screen.line("links", style="bold")
    for link in found.get("links") or ():
        _link(screen, link, is_first=link.get("link") == broken.get("link"), is_verbose=is_verbose)
    _changes(screen, found.get("changed_before") or ())
    if broken and found.get("next_command"):
        whose = " (operator)" if found.get("next_actor") == "operator" else ""
        screen.line(f"try{whose}: {found['next_command']}", style="bold")
    screen.pairs({"runbook (operator)": found.get("runbook")})


def _link(screen: Screen, link: dict[str, Any], *, is_first: bool, is_verbose: bool) -> None:
    state = str(link.get("state"))
    mark = ">" if is_first else "-"
    shown = f"{mark} {link.get('link')}: {state.replace('_', ' ')}"
    screen.line(f"{shown} - {link['cause']}" if link.get("cause") else shown, indent=2, style=style_of(state))
    if is_first or is_verbose:
        screen.pairs(evidence(link.get("evidence") or {}), indent=6)


def _changes(screen: Screen, found: Any) -> None:
    if found:
        screen.line(f"changed before ({len(found)})", style="bold")
    for heading, changes in groupby(found, key=lambda change: f"{_when(change)}, by {differing.who(change)}"):
        screen.line(heading, indent=2)
        for change in changes:
            screen.line(differing.what(change), indent=4)


def _when(change: dict[str, Any]) -> str:
    before, age = change.get("seconds_before"), seconds(change.get("age_seconds"))
    return f"{seconds(before)} before" if before is not None else f"{age} ago" if age else "at an unknown time"
