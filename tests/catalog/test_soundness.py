"""Declarations that contradict each other do not make a catalog: the sentence says which, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal

import pytest

from obslib.catalog import (
    COMMON,
    Component,
    Cursor,
    Deprecated,
    Field,
    Joint,
    Label,
    Loop,
    Operation,
    Plane,
    ReasonSet,
    counter,
    gauge,
    instance_gauge,
    log_event,
    span_kind,
)
from obslib.catalog.common import REASON, RESULT
from obslib.catalog.platform import PLATFORM, control_plane
from obslib.errors import CatalogError

SHOP = Component(name="shop", plane=Plane.COMMON)
TILL = Component(name="till", plane=Plane.COMMON, has_node=True)
SHELF = Label.budgeted("shelf", 5, why="shelves")
NODE = Label.budgeted("node_id", 5, id_prefix="node", why="nodes")
COMPONENT = Label.closed("component", "shop", "till")
CONSUMER = Label.closed("consumer", "shop")
INSTANCE = Label(name="instance_id", domain="budgeted", at_most=8, id_prefix="inst", why="quota", is_per_instance=True)


def plain() -> None:
    """Help."""


def by_shelf(*, shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def by_smaller_shelf(*, shelf: Annotated[str, replace(SHELF, at_most=9, why="more shelves")]) -> None:
    """Help."""


def by_node(*, node_id: Annotated[str, NODE]) -> None:
    """Help."""


def by_component(*, component: Annotated[str, COMPONENT]) -> None:
    """Help."""


def by_instance(*, instance_id: Annotated[str, INSTANCE]) -> None:
    """Help."""


def by_consumer(*, consumer: Annotated[str, CONSUMER]) -> None:
    """Help."""


def by_reason(*, reason: Annotated[Literal["late"], REASON]) -> None:
    """Help."""


def by_outcome(*, result: Annotated[Literal["success", "failure"], RESULT], reason: Annotated[Literal["late"], REASON]) -> None:
    """Help."""


def by_pair(*, shelf: Annotated[str, SHELF], reason: Annotated[Literal["late"], REASON]) -> None:
    """Help."""


def with_field(*, detail: Annotated[str, Field(name="detail", help="Mine.")]) -> None:
    """Help."""


SOLD = counter("sold_total", serves=("T",))(plain)
DOORS = gauge("doors", serves=("T",), components=("shop",))(plain)
OPENING = span_kind("shop.open", serves=("T",), components=("shop",))(plain)
MEMORY = gauge("memory_bytes", serves=("T",))(plain)
EACH = instance_gauge("each_bytes", serves=("T",), quota="q", max_series=4, aggregate=MEMORY, plane=Plane.COMMON)(by_instance)
LATE = counter("late_total", serves=("T",))(by_reason)
REASONS = ReasonSet(name="closing", values=("late", "tired"), fallback="late")
CLOSING = Operation(
    name="shop.close", help="Closes.", plane=Plane.COMMON, serves=("T",), components=("shop",), span=OPENING, outcomes=(LATE,),
    reasons=REASONS,
)  # fmt: skip
ENDED = counter("ended_total", serves=("T",))(by_outcome)
LATE_ALONE = replace(REASONS, values=("late",))
PAIRS = Joint(name="pairs", labels=("shelf", "reason"), at_most=3, why="in use")
SWEEP = Loop(name="sweep", help="Sweeps.", plane=Plane.COMMON, serves=("T",), span=OPENING)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"signals": [replace(SOLD, serves=())]},
            "<Counter sold_total> serves no requirement; name the rows it answers in serves=(...)",
        ),
        (
            {"signals": [replace(DOORS, components=("kiosk",))]},
            "<Gauge doors> is declared for component 'kiosk', which catalog 'shop' does not have; "
            "add that one with components=[...], or name one there is",
        ),
        (
            {"signals": [replace(DOORS, plane=Plane.EDGE)]},
            "<Gauge doors> belongs to plane 'edge', but 'shop' exports 'common'; "
            "name a component of that plane, or give it another plane",
        ),
        (
            {"signals": [replace(DOORS, plane=Plane.EDGE, components=())]},
            "<Gauge doors> can be emitted by nobody: it names no component, and none of catalog 'shop' has plane 'edge'; "
            "name its components, or add one of that plane",
        ),
        (
            {"signals": [replace(SOLD, stability=Deprecated("bought_total"))]},
            "<Counter sold_total> is replaced by 'bought_total', which is no metric of catalog 'shop'; "
            "declare that one too, or name the one that takes its place",
        ),
        (
            {"signals": [OPENING, replace(SOLD, stability=Deprecated("shop.open"))]},
            "<Counter sold_total> is replaced by 'shop.open', which is no metric of catalog 'shop'; "
            "declare that one too, or name the one that takes its place",
        ),
        (
            {"signals": [replace(SOLD, stability=Deprecated("sold_total"))]},
            "<Counter sold_total> is replaced by 'sold_total', which is deprecated itself; "
            "name the metric that takes the place of both",
        ),
        (
            {"signals": [replace(SWEEP, components=("shop",))]},
            "<Loop sweep> refers to <SpanKind shop.open>, which is not in catalog 'shop'; add it with signals=[...]",
        ),
        (
            {"signals": [EACH]},
            "<InstanceMetric each_bytes> refers to <Gauge memory_bytes>, which is not in catalog 'shop'; "
            "add it with signals=[...]",
        ),
        (
            {"signals": [SWEEP, OPENING]},
            "<Loop sweep> is emitted by 'till', but its part <SpanKind shop.open> cannot be; "
            "add 'till' to the components of the part, or take it from those of the whole",
        ),
        (
            {"signals": [OPENING, LATE, CLOSING]},
            "<Operation shop.close> uses reason set 'closing', which is not in catalog 'shop'; add it with reasons=[...]",
        ),
        (
            {"signals": [OPENING, LATE, CLOSING], "reasons": [REASONS]},
            "<Operation shop.close> can fail for ['tired'], which <Counter late_total> does not list; "
            "add it to the label, or take it out of reason set 'closing'",
        ),
        (
            {"signals": [OPENING, ENDED, replace(CLOSING, outcomes=(ENDED,), reasons=LATE_ALONE)], "reasons": [LATE_ALONE]},
            "<Operation shop.close> counts successes in <Counter ended_total>, whose reason has no 'none' for them; "
            "add it there",
        ),
        (
            {"signals": [log_event("shop.closed", serves=("T",))(with_field)]},
            "<LogEvent shop.closed> uses field 'detail', which is not in catalog 'shop' as this object; "
            "use the catalog's own, or add this one with fields=[...]",
        ),
        (
            {"signals": [counter("a_total", serves=("T",))(by_shelf), counter("b_total", serves=("T",))(by_smaller_shelf)]},
            "label 'shelf' of <Counter a_total> and of <Counter b_total> are declared differently "
            "(at_most is 5 there and 9 here, why is 'shelves' there and 'more shelves' here); share one Label, or rename one",
        ),
        (
            {
                "signals": [
                    counter("a_total", serves=("T",), joints=(PAIRS,))(by_pair),
                    counter("b_total", serves=("T",), joints=(replace(PAIRS, at_most=4),))(by_pair),
                ]
            },
            "joint domain 'pairs' of <Counter a_total> and of <Counter b_total> are declared differently "
            "(at_most is 3 there and 4 here); share one Joint, or rename one",
        ),
        (
            {"signals": [counter("a_total", serves=("T",))(by_component)]},
            "metric 'a_total' has label 'component', which 'shop' puts on every sample; "
            "drop the label, the constant one says the same",
        ),
        (
            {"signals": [counter("a_total", serves=("T",))(by_node)]},
            "metric 'a_total' has label 'node_id', which 'till' puts on every sample; "
            "drop the label, the constant one says the same",
        ),
    ],
)
def test_what_does_not_hold_is_refused(parts: dict[str, list[object]], message: str) -> None:
    """A catalog with a loose end is not built."""
    with pytest.raises(CatalogError) as caught:
        COMMON.extend("shop", components=[SHOP, TILL], **parts)
    assert str(caught.value) == message


def test_the_same_declarations_without_their_faults_hold() -> None:
    """Nothing of the above is refused for another reason than the one it says."""
    narrowed = replace(REASONS, values=("late",))
    catalog = COMMON.extend(
        "shop",
        components=[SHOP, TILL],
        signals=[
            SOLD, DOORS, OPENING, MEMORY, EACH, LATE, replace(CLOSING, reasons=narrowed), replace(SWEEP, components=("shop",)),
            replace(SOLD, name="bought_total", stability=Deprecated("sold_total")),
            counter("a_total", serves=("T",), joints=(PAIRS,))(by_pair), counter("b_total", serves=("T",))(by_shelf),
            counter("c_total", serves=("T",), components=("shop",))(by_node),
        ],
        reasons=[narrowed],
    )  # fmt: skip
    assert catalog.require(DOORS, "shop") is DOORS


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (
            lambda: Component(name="Till Two", plane=Plane.COMMON),
            "component name 'Till Two' must be lower case, starting with a letter, with '-' between words",
        ),
        (
            lambda: Component(name="till", plane="edge"),
            "component 'till' has plane='edge'; use one of Plane.CONTROL_PLANE, Plane.DATA_PLANE, Plane.EDGE, Plane.TENANT, "
            "Plane.COMMON",
        ),
        (
            lambda: replace(SOLD, plane=None),
            "Counter 'sold_total' has plane=None; use one of Plane.CONTROL_PLANE, Plane.DATA_PLANE, Plane.EDGE, Plane.TENANT, "
            "Plane.COMMON",
        ),
        (
            lambda: replace(SOLD, stability="deprecated"),
            "Counter 'sold_total' has stability='deprecated'; "
            "use Stability.STABLE, Stability.EXPERIMENTAL or Deprecated(replaced_by=...)",
        ),
        (lambda: Field(name="shelf-life", help="Days."), "field name 'shelf-life' must be lower_snake_case"),
        (lambda: Field(name="shelf", help=""), "field 'shelf' has no help text; say in help= what it means"),
        (
            lambda: ReasonSet(name="closing", values=("late", "late"), fallback="late"),
            "reason set 'closing' lists ('late', 'late'); write a tuple that has each reason once",
        ),
        (
            lambda: ReasonSet(name="closing", values="late", fallback="late"),
            "reason set 'closing' lists 'late'; write a tuple that has each reason once",
        ),
        (
            lambda: ReasonSet(name="closing", values=("late",), fallback="tired"),
            "reason set 'closing': fallback 'tired' is not one of ('late',)",
        ),
        (
            lambda: ReasonSet(name="closing", values=("late",), fallback="late", finer={"dark": "night"}),
            "reason set 'closing': dark 'night' is not one of ('late',)",
        ),
        (
            lambda: cursor("shop", by_shelf),
            "cursor 'shop.cursor' writes <Gauge position> by consumer, but that has labels ('shelf',); "
            "give it the label consumer and no other",
        ),
        (
            lambda: cursor("till", by_consumer),
            "cursor 'shop.cursor' is of 'till', which <Gauge position> does not list: ('shop',)",
        ),
    ],
)
def test_a_part_that_cannot_mean_anything_is_refused(declare: Callable[[], object], message: str) -> None:
    """Raised where it is declared, before any catalog sees it."""
    with pytest.raises(CatalogError) as caught:
        declare()
    assert str(caught.value) == message


def cursor(consumer: str, signature: Callable[..., None]) -> Cursor:
    """A cursor over gauges of that signature."""
    gauges = [gauge(name, serves=("T",))(signature) for name in ("position", "lag_events", "lag_seconds")]
    return Cursor(
        name="shop.cursor", help="How far.", plane=Plane.COMMON, serves=("T",), consumer=consumer, position=gauges[0],
        lag_events=gauges[1], lag_seconds=gauges[2],
    )  # fmt: skip


def test_the_platform_is_held_to_all_of_it() -> None:
    """One loop that names a part of another component, and the platform's own catalog does not build."""
    loop = control_plane.PROJECTIONS
    strayed = replace(control_plane.PROJECTIONS_CYCLE, components=("scheduler",))
    signals = [strayed if s is loop.span else replace(loop, span=strayed) if s is loop else s for s in PLATFORM.signals]
    with pytest.raises(CatalogError) as caught:
        rebuilt(signals)
    assert str(caught.value) == (
        "<Loop projections> is emitted by 'projector', but its part <SpanKind projections.cycle> cannot be; "
        "add 'projector' to the components of the part, or take it from those of the whole"
    )


def rebuilt(signals: list[object]) -> object:
    """The platform's catalog with these signals in place of its own."""
    return type(PLATFORM)(
        "platform", components=PLATFORM.components.values(), signals=signals, fields=PLATFORM.fields.values(),
        reasons=PLATFORM.reasons.values(),
    )  # fmt: skip
