"""What holds for everything the platform declares, each broken promise as one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from obslib.catalog import (
    Alert,
    Catalog,
    Check,
    Cursor,
    Dashboard,
    Declaration,
    Family,
    Gauge,
    LogEvent,
    Loop,
    Operation,
    Plane,
    Runbook,
    SpanKind,
)
from obslib.catalog.platform import PLATFORM, alerts, control_plane, dashboards, edge, runbooks
from obslib.catalog.platform.terms import FIELDS
from obslib.errors import CatalogError

SUBSYSTEMS = frozenset({
    "http", "event", "db", "projection", "scheduler", "agent", "edge", "workload", "loop", "backup", "health", "trace", "log",
    "metric", "node", "consumer", "retention", "audit", "build", "process",
    "telemetry", "ipam", "quota", "auth", "idempotency", "deploy", "release",
})  # fmt: skip
"""First words of metrics: those of requirements §1, OWN-06's, and those of §5."""

CRITICAL_LOOPS = {"event_append", "projections", "scheduler", "agent_reconcile", "edge_routing"}
_DOTTED = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+\Z")
_SENTENCE = re.compile(r"\S+ .*\.\Z")
_SNAKE = re.compile(r"[a-z][a-z0-9_]*\Z")


def problems(catalog: Catalog) -> Iterator[str]:
    """Every broken promise of the catalog."""
    for signal in catalog.signals:
        yield from _of_any(signal)
        match signal:
            case Family():
                yield from _of_family(signal)
            case LogEvent() | SpanKind() | Operation() | Cursor() if not _DOTTED.match(signal.name):
                yield f"{signal!r} is called {signal.name!r}, which is not subject.event in lower_snake_case"
            case Check() | Loop() if not _SNAKE.match(signal.name):
                yield f"{signal!r} is called {signal.name!r}, which is not lower_snake_case"
    for field in catalog.fields.values():
        if not _SENTENCE.match(field.help):
            yield f"field {field.name!r} is explained by {field.help!r}, which is no sentence"


def _of_any(signal: Declaration) -> Iterator[str]:
    if not _SENTENCE.match(signal.help):
        yield f"{signal!r} is explained by {signal.help!r}, which is no sentence"
    for row in signal.serves:
        if not re.fullmatch(r"[A-Z]+(?:-[A-Z0-9]+)*-\d\d", row):
            yield f"{signal!r} serves {row!r}, which is no id of a requirement"


def _of_family(family: Family[...]) -> Iterator[str]:
    first = family.name.split("_")[0]
    if first not in SUBSYSTEMS:
        yield f"{family!r} begins with {first!r}, which is no subsystem"
    if first in ("edge", "agent", "scheduler") and family.components != (first,):
        yield f"{family!r} is of subsystem {first!r} and declared for {family.components!r}"
    if "event_id" in family.name and not (family.name.endswith("_event_id") and isinstance(family, Gauge)):
        yield f"{family!r} holds an id of an event, so it is a gauge that ends in '_event_id'"


def test_the_platforms_catalog_breaks_no_promise() -> None:
    """Names, help texts, rows, units and homes are as the requirements want them, for everything declared."""
    assert list(problems(PLATFORM)) == []


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (
            replace(edge.EDGE_ROUTES_LOADED, name="rim_routes_loaded"),
            "<Gauge rim_routes_loaded> begins with 'rim', which is no subsystem",
        ),
        (
            replace(edge.EDGE_ROUTES_LOADED, plane=Plane.COMMON, components=("edge", "agent")),
            "<Gauge edge_routes_loaded> is of subsystem 'edge' and declared for ('edge', 'agent')",
        ),
        (
            replace(edge.EDGE_CONFIG_APPLIED_EVENT, name="edge_config_event_id_applied"),
            "<Gauge edge_config_event_id_applied> holds an id of an event, so it is a gauge that ends in '_event_id'",
        ),
        (
            replace(edge.EDGE_ROUTES_LOADED, help="routes"),
            "<Gauge edge_routes_loaded> is explained by 'routes', which is no sentence",
        ),
        (
            replace(edge.EDGE_ROUTES_LOADED, serves=("routes",)),
            "<Gauge edge_routes_loaded> serves 'routes', which is no id of a requirement",
        ),
        (
            replace(control_plane.HTTP_ACCESS, name="access"),
            "<LogEvent access> is called 'access', which is not subject.event in lower_snake_case",
        ),
        (
            replace(control_plane.SCHEDULER_OK, name="scheduler-ok"),
            "<Check scheduler-ok> is called 'scheduler-ok', which is not lower_snake_case",
        ),
    ],
)
def test_mutant_a_broken_promise_is_found(broken: Declaration, problem: str) -> None:
    """Each of them, in one sentence."""
    assert list(problems(alone(broken))) == [problem]


def alone(signal: Declaration) -> Catalog:
    """A catalog of the platform's components with one signal."""
    return Catalog("broken", components=PLATFORM.components.values(), signals=[signal], fields=PLATFORM.fields.values())


def test_a_field_without_a_sentence_is_found() -> None:
    """Fields are held to it as well."""
    shortened = [replace(field, help="it") if field.name == "env_id" else field for field in FIELDS]
    assert list(problems(Catalog("broken", fields=shortened))) == ["field 'env_id' is explained by 'it', which is no sentence"]


def test_the_five_loops_and_the_three_cursors_are_there() -> None:
    """The critical loops of requirements §2, each in the component it belongs to, and a cursor for each consumer."""
    assert {loop.name for loop in PLATFORM.of(Loop) if loop.is_critical} == CRITICAL_LOOPS
    found = {cursor.consumer: cursor.components for cursor in PLATFORM.of(Cursor)}
    assert found == {"scheduler": ("scheduler",), "agent": ("agent",), "edge": ("edge",)}


PARTS = [
    (alerts.SCHEDULER_LOOP_STALLED, control_plane.SCHEDULER_LOOP_RUNS),
    (alerts.SCHEDULER_LOOP_STALLED, runbooks.SCHEDULER_STALLED),
    (dashboards.PROJECTIONS, control_plane.PROJECTION_LAG),
    (control_plane.SCHEDULER_LOOP, control_plane.SCHEDULER_LOOP_SPAN),
    (control_plane.SCHEDULER_LOOP, control_plane.SCHEDULER_CURSOR),
    (control_plane.GROUP_RECONCILE, control_plane.SCHEDULER_FAILURES),
    (control_plane.SCHEDULER_CURSOR, control_plane.SCHEDULER_CURSOR.lag_events),
]


@pytest.mark.parametrize(("whole", "part"), PARTS, ids=lambda signal: signal.name)
def test_a_part_that_is_taken_away_is_missed(whole: Declaration, part: Declaration) -> None:
    """Alerts, dashboards, loops, operations and cursors name what there is: without any part the platform does not build."""
    left = [signal for signal in PLATFORM.signals if signal is not part]
    with pytest.raises(CatalogError, match=re.escape(f"refers to {part!r}, which is not in catalog 'platform'")):
        Catalog(
            "platform", components=PLATFORM.components.values(), signals=left, fields=PLATFORM.fields.values(),
            reasons=PLATFORM.reasons.values(),
        )  # fmt: skip
    assert whole in PLATFORM.signals


def test_every_kind_of_reference_is_among_them() -> None:
    """What can refer to something has its case above."""
    assert {type(whole) for whole, _ in PARTS} == {Alert, Dashboard, Loop, Operation, Cursor}
    assert {type(part) for _, part in PARTS} >= {Runbook, SpanKind, Cursor}
