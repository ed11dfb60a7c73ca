"""A catalog that exists is sound: names are unique, references hold, and each component has its own signals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from obslib.catalog import (
    COMMON,
    Catalog,
    Check,
    Component,
    Family,
    Importance,
    Loop,
    Plane,
    Source,
    SpanKind,
    counter,
    gauge,
    span_kind,
)
from obslib.catalog.common import CARRIED, METRIC, SOURCE
from obslib.catalog.labels import LabelUse
from obslib.catalog.platform import PLATFORM, control_plane, data_plane
from obslib.errors import CatalogError, UnknownSignal

SHOP = Component(name="shop", plane=Plane.COMMON)


@counter("sold_total", serves=("T",))
def SOLD() -> None:
    """Things sold."""


@gauge("doors", serves=("T",), components=("shop",))
def DOORS() -> None:
    """Doors open."""


@counter("sold_total", serves=("T",))
def SOLD_TWICE() -> None:
    """Things sold, again."""


@span_kind("shop.open", serves=("T",))
def OPENING() -> None:
    """Opening the shop."""


SWEEP = Loop(name="sweep", help="Sweeps.", plane=Plane.COMMON, serves=("T",), span=OPENING)
TILL_OK = Check(name="till", help="The till answers.", plane=Plane.COMMON, serves=("T",), importance=Importance.REQUIRED)


def test_two_signals_of_one_name_are_refused() -> None:
    """Extending with a taken name raises; the same object twice is no conflict."""
    shop = COMMON.extend("shop", components=[SHOP], signals=[SOLD])
    assert shop.extend(signals=[SOLD]).signals == shop.signals
    with pytest.raises(CatalogError) as caught:
        shop.extend(signals=[SOLD_TWICE])
    assert str(caught.value) == "two metric declarations are called 'sold_total'; rename one or share the object"


def test_an_unknown_component_is_named_with_those_there_are() -> None:
    """The message lists the components and says how to add one."""
    with pytest.raises(UnknownSignal) as caught:
        PLATFORM.component("till")
    assert str(caught.value) == (
        "component 'till' is not in catalog 'platform' (it has: control-plane, projector, scheduler, agent, edge); "
        "use one of these, or pass catalog=CATALOG.extend(components=[Component(...)])"
    )
    with pytest.raises(UnknownSignal, match="component 'till' is not in catalog"):
        PLATFORM.worst_case("till")


def test_a_signal_of_a_foreign_plane_is_refused() -> None:
    """What is declared for one plane cannot be used in another."""
    with pytest.raises(UnknownSignal) as caught:
        PLATFORM.require(control_plane.HTTP_REQUESTS, "agent")
    assert str(caught.value) == "<Counter http_requests_total> is declared for control-plane, not for component 'agent'"


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (SOLD, "<Counter sold_total> is no SpanKind; bind this one with obs.metrics[...]"),
        (TILL_OK, "<Check till> is no SpanKind; bind this one with obs.check(...)"),
        (SHOP, f"{SHOP!r} is no SpanKind; hand over one that the catalog declares"),
        ("shop.open", "'shop.open' is no SpanKind; hand over one that the catalog declares"),
        ([], "[] is no SpanKind; hand over one that the catalog declares"),
    ],
)
def test_a_signal_of_another_kind_is_refused_with_its_own_binder(signal: object, message: str) -> None:
    """Who binds a span gets a span, and otherwise a sentence that says how to bind what was given."""
    shop = COMMON.extend("shop", components=[SHOP], signals=[SOLD, DOORS, OPENING, TILL_OK])
    assert shop.require(OPENING, "shop", kind=SpanKind) is OPENING
    with pytest.raises(UnknownSignal) as caught:
        shop.require(signal, "shop", kind=SpanKind)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"components": ["c"]}, "components= holds 'c', which is no Component; declare it as one first"),
        ({"components": SHOP}, f"components= takes a list, not {SHOP!r}; put it in brackets"),
        ({"signals": [5]}, "signals= holds 5, which is no Declaration; declare it as one first"),
        ({"signals": [[]]}, "signals= holds [], which is no Declaration; declare it as one first"),
        ({"signals": SOLD}, "signals= takes a list, not <Counter sold_total>; put it in brackets"),
        ({"fields": ["reason"]}, "fields= holds 'reason', which is no Field; declare it as one first"),
        ({"reasons": [None]}, "reasons= holds None, which is no ReasonSet; declare it as one first"),
    ],
)
def test_a_part_of_the_wrong_kind_is_refused(parts: dict[str, object], message: str) -> None:
    """Building and extending a catalog name the argument and what it holds."""
    for build in (lambda: COMMON.extend(**parts), lambda: Catalog("shop", **parts)):
        with pytest.raises(CatalogError) as caught:
            build()
        assert str(caught.value) == message


def test_one_text_in_place_of_a_tuple_is_refused() -> None:
    """A bare string would be read letter by letter."""
    for argument in ("serves", "components"):
        with pytest.raises(CatalogError) as caught:
            replace(DOORS, **{argument: "shop"})
        assert str(caught.value) == (
            f"Gauge 'doors' has {argument}='shop', which is one text and not a tuple; write {argument}=('shop',)"
        )


def test_a_check_whose_pace_is_no_number_is_refused() -> None:
    """Loud where it is declared."""
    for pace in ({"every_s": "5"}, {"deadline_s": float("nan")}, {"deadline_s": 0}, {"fail_after": None}, {"fail_after": 0}):
        with pytest.raises(CatalogError, match="check 'till' needs every_s > 0, deadline_s > 0 and fail_after >= 1"):
            replace(TILL_OK, **pace)


def test_planes_decide_where_no_component_is_named() -> None:
    """A signal without components goes to its own plane; a common one goes everywhere."""
    edge_only = replace(DOORS, name="gates", plane=Plane.EDGE, components=())
    catalog = PLATFORM.extend(signals=[edge_only, SOLD])
    assert [c for c in catalog.components if catalog.exports(edge_only, c)] == ["edge"]
    assert [c for c in catalog.components if catalog.exports(SOLD, c)] == list(catalog.components)


def test_labels_that_speak_of_the_catalog_take_its_names() -> None:
    """Loops, checks, families and labels are those of the component; a source is any counter or gauge, labelled or not."""
    families = PLATFORM.values(LabelUse(label=METRIC), "agent")
    measured = PLATFORM.values(LabelUse(label=SOURCE), "agent")
    assert "agent_instances" in families
    assert "agent_instances_desired" not in families
    assert {"agent_instances", "agent_instances_desired"} <= set(measured)
    assert data_plane.AGENT_RECONCILE_DURATION.name not in measured
    assert {SOURCE.source, METRIC.source} == {Source.MEASURED, Source.FAMILIES}


def test_a_joint_domain_of_the_catalog_has_the_pairs_that_there_are() -> None:
    """A family is paired with the labels that it has, in each component with its own; no others are admitted beside them."""
    edge, agent = (PLATFORM.joint(CARRIED, component) for component in ("edge", "agent"))
    assert ("loop_healthy", "loop") in set(edge.reserved) & set(agent.reserved)
    assert ("agent_instances", "state") in agent.reserved
    assert ("agent_instances", "loop") not in agent.reserved
    assert "agent_instances" not in dict(edge.reserved)
    assert edge.bound == sum(len(family.labels) for family in PLATFORM.of(Family, "edge")) + 1


def test_a_catalog_says_what_it_is() -> None:
    """Its repr names it and its components."""
    assert repr(Catalog("bare", components=[SHOP], signals=[SOLD])) == "<Catalog bare: 1 signals, components shop>"
