"""Another component, or another product's catalog, extends the platform's; where both say something, nothing is built."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import pytest

from obslib.catalog import (
    COMMON,
    Catalog,
    Check,
    Component,
    Field,
    Gauge,
    Importance,
    Label,
    Loop,
    Plane,
    ReasonSet,
    counter,
    gauge,
    log_event,
    span_kind,
)
from obslib.catalog.common import KIND, METRIC
from obslib.catalog.labels import LabelUse
from obslib.catalog.platform import PLATFORM
from obslib.catalog.platform.terms import NODE_ID, PROJECTION
from obslib.errors import CardinalityError, CatalogError, UnknownSignal

SHOP = Component(name="shop", plane=Plane.COMMON)
SHELF = Label.budgeted("shelf", 1_999, why="shelves")


def plain() -> None:
    """Help."""


def by_kind(*, kind: Annotated[Literal["a"], KIND]) -> None:
    """Help."""


def by_own_kind(*, kind: Annotated[Literal["a"], Label.closed("kind", at_most=4)]) -> None:
    """Help."""


def by_projection(*, projection: Annotated[str, replace(PROJECTION, at_most=64)]) -> None:
    """Help."""


def by_node(*, node_id: Annotated[str, NODE_ID]) -> None:
    """Help."""


def by_shelf(*, shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def with_own_field(*, env_id: Annotated[str, Field(name="env_id", help="Mine.", id_prefix="environment")]) -> None:
    """Help."""


DOORS = gauge("doors", serves=("T",), components=("shop",))(plain)
SOLD = counter("sold_total", serves=("T",))(plain)
OPENING = span_kind("shop.open", serves=("T",), components=("shop",))(plain)
SWEEP = Loop(name="sweep", help="Sweeps.", plane=Plane.COMMON, serves=("T",), components=("shop",), span=OPENING)
TILL_OK = Check(
    name="till", help="The till answers.", plane=Plane.COMMON, serves=("T",), components=("shop",),
    importance=Importance.REQUIRED,
)  # fmt: skip


def test_a_product_may_have_its_own_kinds_and_results() -> None:
    """Closed labels are narrowed by every family, so two of one name need not list the same."""
    extended = PLATFORM.extend("shop", signals=[gauge("doors", serves=("T",))(by_own_kind)])
    assert any(family.name == "doors" for family in extended.of(Gauge))


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        (
            {"signals": [gauge("edge_routes_loaded", serves=("T",))(by_kind)]},
            "two metric declarations are called 'edge_routes_loaded'; rename one or share the object",
        ),
        (
            {"signals": [counter("edge_routes_loaded_total", serves=("T",))(plain)]},
            "metrics 'edge_routes_loaded' and 'edge_routes_loaded_total' are one name in OpenMetrics, which drops '_total'; "
            "rename one",
        ),
        (
            {"signals": [log_event("loop.failed", serves=("T",))(plain)]},
            "two log event declarations are called 'loop.failed'; rename one or share the object",
        ),
        (
            {"signals": [span_kind("http.request", serves=("T",))(plain)]},
            "two span declarations are called 'http.request'; rename one or share the object",
        ),
        (
            {"signals": [OPENING, replace(SWEEP, name="scheduler")]},
            "two loop declarations are called 'scheduler'; rename one or share the object",
        ),
        (
            {"signals": [replace(TILL_OK, name="db_connectivity")]},
            "two check declarations are called 'db_connectivity'; rename one or share the object",
        ),
        (
            {"components": [Component(name="agent", plane=Plane.EDGE)]},
            "two component declarations are called 'agent'; rename one or share the object",
        ),
        (
            {"fields": [Field(name="env_id", help="Mine.", id_prefix="environment")]},
            "two field declarations are called 'env_id'; rename one or share the object",
        ),
        (
            {"signals": [log_event("shop.closed", serves=("T",))(with_own_field)]},
            "<LogEvent shop.closed> uses field 'env_id', which is not in catalog 'platform' as this object; "
            "use the catalog's own, or add this one with fields=[...]",
        ),
        (
            {"reasons": [ReasonSet(name="scheduler", values=("full",), fallback="full")]},
            "two reason set declarations are called 'scheduler'; rename one or share the object",
        ),
        (
            {"signals": [replace(DOORS, components=("agent",), plane=Plane.EDGE)]},
            "<Gauge doors> belongs to plane 'edge', but 'agent' exports 'data_plane'; "
            "name a component of that plane, or give it another plane",
        ),
        (
            {"signals": [DOORS]},
            "<Gauge doors> is declared for component 'shop', which catalog 'platform' does not have; "
            "add that one with components=[...], or name one there is",
        ),
        (
            {"signals": [replace(DOORS, components=(), plane=Plane.TENANT)]},
            "<Gauge doors> can be emitted by nobody: it names no component, and none of catalog 'platform' has plane 'tenant'; "
            "name its components, or add one of that plane",
        ),
        (
            {"signals": [gauge("doors", serves=("T",), plane=Plane.CONTROL_PLANE)(by_projection)]},
            "label 'projection' of <Gauge projection_last_applied_event_id> and of <Gauge doors> are declared differently "
            "(at_most is 32 there and 64 here); share one Label, or rename one",
        ),
        (
            {"signals": [gauge("doors", serves=("T",))(by_node)]},
            "metric 'doors' has label 'node_id', which 'agent' puts on every sample; "
            "drop the label, the constant one says the same",
        ),
    ],
)
def test_a_conflict_with_what_is_there_is_refused(extension: dict[str, Any], message: str) -> None:
    """Whatever has a name has one meaning, and who extends is told which and what to do."""
    with pytest.raises(CatalogError) as caught:
        PLATFORM.extend(**extension)
    assert str(caught.value) == message


def test_what_no_longer_fits_the_process_is_refused() -> None:
    """A common signal counts in every component, so it has to fit in the fullest."""
    wide = [gauge(f"wide_{number}", serves=("T",))(by_shelf) for number in range(5)]
    with pytest.raises(CardinalityError, match=r"could reach [0-9]+ series, over the budget of 10000; the largest are wide_0"):
        PLATFORM.extend(signals=wide)


def test_extending_leaves_the_original_alone() -> None:
    """Another product adds a component with its loops and checks, and both catalogs stay what they are."""
    shop = PLATFORM.extend("shop", components=[SHOP], signals=[SOLD, DOORS, OPENING, SWEEP, TILL_OK])
    assert "shop" not in PLATFORM.components
    assert shop.require(DOORS, "shop") is DOORS
    assert shop.of(Loop, "shop") == (SWEEP,)
    assert shop.values(LabelUse(label=METRIC), "agent") == PLATFORM.values(LabelUse(label=METRIC), "agent")
    with pytest.raises(UnknownSignal, match="is declared for shop, not for component 'agent'"):
        shop.require(DOORS, "agent")


def test_two_products_that_share_their_objects_are_no_conflict() -> None:
    """What a library declares once can come in through each of two products."""
    shop = COMMON.extend("shop", components=[SHOP], signals=[SOLD])
    mall = COMMON.extend("mall", components=[Component(name="mall", plane=Plane.COMMON)], signals=[SOLD])
    both = joined(shop, mall)
    assert [signal for signal in both.signals if signal is SOLD] == [SOLD]
    assert list(both.components) == ["shop", "mall"]


def test_two_products_that_both_declare_are_a_conflict() -> None:
    """The same words in two modules are two declarations: one of them would not be seen to change."""
    shop = COMMON.extend("shop", components=[SHOP], signals=[SOLD])
    mall = COMMON.extend("mall", components=[Component(name="mall", plane=Plane.COMMON)], signals=[replace(SOLD)])
    with pytest.raises(CatalogError) as caught:
        joined(shop, mall)
    assert str(caught.value) == "two metric declarations are called 'sold_total'; rename one or share the object"


def joined(one: Catalog, other: Catalog) -> Catalog:
    """Both catalogs in one."""
    return one.extend(
        components=other.components.values(),
        signals=other.signals,
        fields=other.fields.values(),
        reasons=other.reasons.values(),
    )
