"""Every signal of a component is bound by its shim, by obslib or by its host; nothing is declared in vain (STN-02)."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from obslib.catalog import Check, Cursor, Declaration, Family, LogEvent, Loop, Operation, SpanKind, common, platform
from obslib.ledger import spellings

ROOT = Path(__file__).parents[2]
PLATFORM = platform.PLATFORM
CONSTANTS = spellings((common, *(module for module in vars(platform).values() if isinstance(module, ModuleType))))
EMITTED = (Family, LogEvent, SpanKind, Check, Loop, Operation, Cursor)
CORE = [path for path in sorted((ROOT / "obslib").rglob("*.py")) if path.parts[-2] not in ("catalog", "platform", "ledger")]
SHIM = {name: name.replace("-", "_") for name in PLATFORM.components} | {"projector": "control_plane"}

ABSENT = {
    ("control-plane", "external.call"): "it calls no other component: agents and edges call it",
    ("projector", "external.call"): "it talks to the database alone, whose calls are db.query",
    ("scheduler", "external.call"): "it talks to the database alone, whose calls are db.query",
}
"""What a component may emit and does not, and why that is no loss."""


@pytest.mark.parametrize("component", PLATFORM.components)
def test_every_signal_of_a_component_is_bound(component: str) -> None:
    """Each is used where the component is wired, or its absence has a reason."""
    unbound = {signal.name for signal in unbound_in(component, sources(component))}
    assert unbound == {name for owner, name in ABSENT if owner == component}


def test_mutant_a_shim_that_lost_a_file_is_found() -> None:
    """Without the edge's connections.py its families would have no source, and the check above says which."""
    left = [path for path in sources("edge") if path.name != "connections.py"]
    unbound = {signal.name for signal in unbound_in("edge", left)}
    assert {"edge_connections_total", "edge_connections_active", "edge_upstream_connects_total"} <= unbound


def sources(component: str) -> list[Path]:
    """The code that can emit for a component: obslib, the shim, and the host's own directory."""
    host = component.replace("-", "_")
    shim = SHIM[component]
    return [
        *CORE,
        *(ROOT / "shims" / shim / f"obslib_{shim}").rglob("*.py"),
        *(ROOT / "examples" / "miniplatform" / host).rglob("*.py"),
    ]


def unbound_in(component: str, files: Iterable[Path]) -> list[Declaration]:
    """The component's signals that no file names, by themselves or as a part of a loop or an operation."""
    named = {name for path in files for name in _names(path)}
    ahead = [signal for signal in PLATFORM.signals if not named.isdisjoint(CONSTANTS.get(signal, ()))]
    bound = set[Declaration]()
    while ahead:
        signal = ahead.pop()
        if signal not in bound:
            bound.add(signal)
            ahead += _parts(signal)
    return [signal for signal in PLATFORM.of(Declaration, component) if isinstance(signal, EMITTED) and signal not in bound]


def _parts(signal: Declaration) -> list[Declaration]:
    match signal:
        case Operation():
            parts: tuple[Declaration | None, ...] = (signal.span, signal.duration, signal.failed, *signal.outcomes)
        case Loop():
            parts = (signal.span, signal.cursor, signal.failed, *signal.also)
        case Cursor():
            parts = (signal.position, signal.lag_events, signal.lag_seconds)
        case _:
            parts = ()
    return [part for part in parts if part is not None]


@cache
def _names(path: Path) -> frozenset[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
                found.add(name)
    return frozenset(found)
