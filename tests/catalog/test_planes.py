"""The signal classes stay apart: a component exports its own plane, common and tenant (SIG-01 to SIG-05)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from obslib.catalog import Catalog, Check, Declaration, Family, Plane, SpanKind
from obslib.catalog.platform import PLATFORM
from obslib.errors import CatalogError
from obslib.testing import observability

CLASSES = {
    Plane.CONTROL_PLANE: {"http", "event", "db", "projection", "scheduler"},
    Plane.DATA_PLANE: {"agent"},
    Plane.EDGE: {"edge"},
    Plane.TENANT: {"workload"},
}
"""The subsystems each class must have, by the first word of their families."""


@pytest.mark.parametrize("plane", CLASSES)
def test_a_class_holds_its_subsystems_and_no_other_class_does(plane: Plane) -> None:
    """plane=control_plane, data_plane, edge and tenant each own the families whose names begin as the requirements say."""
    for subsystem in CLASSES[plane]:
        assert planes_of(PLATFORM)[subsystem] == {plane}


def test_no_subsystem_is_in_two_classes() -> None:
    """A family's first word names one class, for those the requirements do not list too."""
    assert [subsystem for subsystem, planes in planes_of(PLATFORM).items() if len(planes) > 1] == []


def test_mutant_a_family_in_a_second_class_is_found() -> None:
    """The check above sees a subsystem that strays."""
    stray = next(family for family in PLATFORM.of(Family) if family.name == "edge_routes_loaded")
    moved = replace(stray, plane=Plane.DATA_PLANE, components=())
    strayed = Catalog("strayed", components=PLATFORM.components.values(), signals=[*edge_families(stray), moved])
    assert planes_of(strayed)["edge"] == {Plane.EDGE, Plane.DATA_PLANE}


@pytest.mark.parametrize("component", PLATFORM.components)
def test_a_component_exports_its_own_class_common_and_tenant_where_declared(component: str) -> None:
    """What a component may emit is of its own plane or common; tenant signals only where they name it."""
    own = PLATFORM.component(component).plane
    for signal in PLATFORM.of(Declaration, component):
        assert signal.plane in (own, Plane.COMMON) or (signal.plane is Plane.TENANT and component in signal.components)


@pytest.mark.parametrize("component", PLATFORM.components)
def test_an_exposition_holds_no_family_of_another_class(component: str) -> None:
    """With every family bound that the component may bind, /metrics shows its own plane, common and tenant, and no other."""
    obs = observability(component)
    planes = {family.name: family.plane for family in PLATFORM.of(Family)}
    for family in PLATFORM.of(Family, component):
        obs.metrics[family].labels(**{use.name: "x" for use in family.labels})
    shown = {metric.name for metric in obs.metrics.collector.collect()}
    found = {plane for name, plane in planes.items() if {name, name.removesuffix("_total")} & shown}
    assert found - {Plane.TENANT} == {PLATFORM.component(component).plane, Plane.COMMON}


def test_a_family_for_a_component_of_another_class_does_not_build() -> None:
    """The catalog refuses it, so nothing has to be found later."""
    stray = next(family for family in PLATFORM.of(Family) if family.name == "edge_routes_loaded")
    with pytest.raises(CatalogError, match="belongs to plane 'edge', but 'agent' exports 'data_plane'"):
        Catalog("strayed", components=PLATFORM.components.values(), signals=[replace(stray, components=("agent",))])


def test_nothing_depends_on_metrics_or_traces_of_workloads() -> None:
    """Of tenants the platform has log signals alone, so no check, alert or decision could read another (TEN-02)."""
    assert all(family.name.startswith("workload_log_") for family in PLATFORM.of(Family) if family.plane is Plane.TENANT)
    assert [check.name for check in PLATFORM.of(Check) if check.plane is Plane.TENANT] == []
    assert [span.name for span in PLATFORM.of(SpanKind) if span.plane is Plane.TENANT] == []


def edge_families(without: Family[...]) -> list[Family[...]]:
    """The edge's families but one."""
    return [family for family in PLATFORM.of(Family, "edge") if family is not without and family.plane is Plane.EDGE]


def planes_of(catalog: Catalog) -> dict[str, set[Plane]]:
    """The planes in which each subsystem has a family, common aside: every process has those."""
    found = defaultdict[str, set[Plane]](set)
    for family in catalog.of(Family):
        if family.plane is not Plane.COMMON:
            found[family.name.split("_")[0]].add(family.plane)
    return found
