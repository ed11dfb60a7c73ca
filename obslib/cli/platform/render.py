"""Descriptions for people: short sections, one thing per line, readable in 40 columns and without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from obslib.cli.platform.screen import Screen

__all__ = ["Renderer", "convergence", "env", "evidence", "instance", "joined", "route", "seconds", "style_of"]

Renderer = Callable[[Screen, dict[str, Any], bool], None]

_USUAL = (("is_final", False), ("is_current", True), ("restarts", 0), ("consecutive_failures", 0))
_STYLES = {
    "converged": "green", "converging": "yellow", "degraded": "bold red", "failing": "bold red", "unknown": "magenta",
    "ok": "green", "waiting": "yellow", "not_applicable": "dim", "nothing_desired": "",
}  # fmt: skip


def env(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    """An env: verdict first, then the three lists behind it."""
    screen.line(f"env {found.get('name', '')} of {found.get('app_name', '')} {found.get('id', '')}", style="bold")
    _verdict(screen, found, is_verbose)
    _section(screen, "desired", found.get("desired"), _wish)
    _section(screen, "running", found.get("running"), _placed)
    _section(screen, "routing", found.get("routing"), _routed)
    _events(screen, found)


def route(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    """A route: verdict, binding, and every backend as every edge sees it."""
    binding = found.get("binding") or {}
    screen.line(f"route {binding.get('hostname')}:{binding.get('listener_port')} {found.get('id', '')}", style="bold")
    _verdict(screen, found, is_verbose)
    screen.line("binding", style="bold")
    screen.pairs({key: binding.get(key) for key in ("process_type", "protocol", "proxy_protocol")}, indent=2)
    _section(screen, "backends", found.get("backends"), _backend)
    _section(screen, "edges", found.get("edges"), _edge)
    for hint in found.get("hints") or ():
        screen.line(f"hint: {hint}", style="yellow")
    _events(screen, found)


def instance(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    """An instance: verdict, what is wanted, what is, how it ended, and its life."""
    screen.line(f"instance of {found.get('process_type', '')} {found.get('id', '')}", style="bold")
    _verdict(screen, found, is_verbose)
    for name in ("desired", "current", "health", "termination"):
        section = found.get(name)
        if isinstance(section, dict):
            screen.line(name, style="bold")
            screen.pairs(evidence(section), indent=2)
    _section(screen, "timeline", found.get("timeline"), _moment)


def convergence(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    """Projections and consumers, the troubled ones first unless all are asked for."""
    if found.get("verdict"):
        verdict, cause = found["verdict"], found.get("cause")
        screen.line(f"verdict: {verdict}" + (f" - {cause}" if cause else ""), style=_STYLES.get(str(verdict), ""))
    _section(screen, "projections", found.get("projections"), _reader)
    _section(screen, "consumers", found.get("consumers"), _reader)
    _section(screen, "components", found.get("components"), _reader)


def _verdict(screen: Screen, found: dict[str, Any], is_verbose: bool) -> None:
    convergence = found.get("convergence") or {}
    verdict = str(convergence.get("verdict", "unknown"))
    link = convergence.get("first_failing_link")
    screen.line(f"verdict: {verdict}" + (f" at {link}" if link else ""), style=_STYLES.get(verdict, ""))
    screen.pairs({"why": convergence.get("cause"), "reason": convergence.get("reason_code")}, indent=2)
    if link:
        screen.pairs(evidence(convergence.get("evidence") or {}), indent=2)
    conditions = (f"{c.get('type')}={c.get('status')}" for c in found.get("conditions") or ())
    screen.line(" ".join(conditions), indent=2)
    if is_verbose:
        for part in convergence.get("links") or ():
            screen.line(f"{part.get('link')}: {part.get('state')} - {part.get('cause')}", indent=2)
    if link and convergence.get("next_command"):
        whose = " (operator)" if convergence.get("next_actor") == "operator" else ""
        screen.line(f"try{whose}: {convergence['next_command']}", indent=2, style="bold")


def _section(screen: Screen, title: str, items: Any, show: Callable[[Screen, dict[str, Any]], None]) -> None:
    found = [item for item in items or () if isinstance(item, dict)]
    screen.line(f"{title} ({len(found)})", style="bold")
    for item in found:
        show(screen, item)


def _wish(screen: Screen, item: dict[str, Any]) -> None:
    screen.line(f"{item.get('process_type')} x{item.get('replicas')} {item.get('release_id') or 'no release'}", indent=2)
    screen.pairs({"deploy": item.get("deploy_id"), "status": item.get("deploy_status")}, indent=4)


def _placed(screen: Screen, item: dict[str, Any]) -> None:
    state = str(item.get("state"))
    shown = state if item.get("is_current", True) else f"unknown (last {state})"
    style = "" if state == "ready" else "yellow"
    screen.line(f"{item.get('process_type')} {shown} {item.get('instance_id')}", indent=2, style=style)
    health = item.get("health") or {}
    screen.line(
        joined(
            ("on", item.get("node_name") or item.get("node_id")),
            ("age", seconds(item.get("age_seconds"))),
            ("health", health.get("last_result")),
            ("restarts", item.get("restarts") or None),
            ("wanted", item.get("desired_state") if item.get("desired_state") != "running" else None),
            ("last reason", item.get("last_reason")),
        ),
        indent=4,
    )
    if not item.get("is_current", True):
        screen.line(f"last heard {seconds(item.get('reported_age_seconds')) or 'never'} ago", indent=4, style="magenta")


def _routed(screen: Screen, item: dict[str, Any]) -> None:
    where = f"{item.get('hostname')}:{item.get('listener_port')} -> {item.get('process_type')}"
    screen.line(f"{where} {item.get('route_id')}", indent=2)
    for backend in item.get("backends") or ():
        _backend(screen, backend, indent=4)
    for edge in item.get("edges") or ():
        if edge.get("state") != "success" or not edge.get("is_applied"):
            _edge(screen, edge, indent=4)


def _backend(screen: Screen, item: dict[str, Any], indent: int = 2) -> None:
    screen.line(f"{item.get('instance_id')} {item.get('state')}", indent=indent)
    for seen in item.get("edge_reachability") or ():
        screen.line(
            joined(
                ("", seen.get("name")),
                ("", seen.get("state")),
                ("", seen.get("last_failure_reason")),
                ("gated", seen.get("gated")),
                ("age", seconds(seen.get("age_seconds"))),
            ),
            indent=indent + 2,
        )


def _edge(screen: Screen, item: dict[str, Any], indent: int = 2) -> None:
    applied = "applied" if item.get("is_applied") else "not applied"
    screen.line(f"{item.get('name')} config {item.get('state')}, {applied}", indent=indent)
    screen.pairs({"error": item.get("last_error"), "last heard": seconds(item.get("age_seconds"))}, indent=indent + 2)


def _moment(screen: Screen, item: dict[str, Any]) -> None:
    screen.line(f"{item.get('at')} {item.get('what')}", indent=2)
    told = ("reason", "reason_code", "termination_class", "exit_code", "restarts", "boot_id")
    screen.line(joined(*((key, item.get(key)) for key in told)), indent=4) if any(item.get(k) for k in told) else None


def _reader(screen: Screen, item: dict[str, Any]) -> None:
    name = item.get("name") or item.get("projection") or item.get("projection_name") or item.get("consumer")
    state = str(item.get("state") or "")
    screen.line(f"{name} {state}".rstrip(), indent=2, style=style_of(state))
    position = item.get("last_applied_event_id", item.get("cursor_event_id"))
    told = (
        ("at", position),
        ("lag", item.get("lag_events")),
        ("age", seconds(item.get("age_seconds"))),
        ("error", item.get("last_error")),
    )
    screen.line(joined(*told), indent=4)


def _events(screen: Screen, found: dict[str, Any]) -> None:
    events = found.get("recent_events") or ()
    if events:
        screen.line(f"recent events ({len(events)})", style="bold")
    for event in events:
        screen.line(
            f"{event.get('at')} #{event.get('event_id')} {event.get('event_type')} {event.get('aggregate_id')}", indent=2
        )


def style_of(word: str) -> str:
    """How a verdict or a state is shown on a terminal: what is neither good nor waited for stands out."""
    return _STYLES.get(word, "" if not word else "bold red")


def joined(*parts: tuple[str, object]) -> str:
    """``name value`` pairs in one line, without those that have no value."""
    return " ".join(f"{name} {value}".strip() for name, value in parts if value not in (None, ""))


def evidence(section: dict[str, Any]) -> dict[str, object]:
    """A section's fields for people: durations with their unit, and no flag that says what is usual."""
    told: dict[str, object] = {}
    for key, value in section.items():
        if key.endswith("_seconds"):
            told[key.removesuffix("_seconds")] = seconds(value)
        elif isinstance(value, dict):
            told[key] = ", ".join(f"{name}={inner}" for name, inner in value.items())
        elif isinstance(value, list):
            told[key] = ", ".join(map(str, value))
        elif (key, value) not in _USUAL:
            told[key] = value
    return told


def seconds(value: object) -> str:
    """``0.4 s``, ``90 s``, ``12 min``, ``3 h``; empty when unknown."""
    if not isinstance(value, int | float):
        return ""
    for limit, unit, name in ((10, 1, "s"), (600, 1, "s"), (7_200, 60, "min")):
        if value < limit:
            return f"{value / unit:.{1 if limit == 10 else 0}f} {name}"
    return f"{value / 3_600:.0f} h"
