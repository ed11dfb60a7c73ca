"""What a platform of a size holds is computed from its declarations, and no process is counted wrongly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import pytest

from obslib.budget import PlatformSize, Quotas, platform_budget
from obslib.catalog import (
    COMMON,
    Alert,
    Catalog,
    Component,
    Family,
    Joint,
    Label,
    Measure,
    Plane,
    Severity,
    counter,
    gauge,
    instance_gauge,
    query,
)
from obslib.catalog.platform import PLATFORM
from obslib.catalog.upkeep import Rule, Scene
from obslib.errors import UnknownSignal, UsageError

NODE = Label.budgeted("node_id", 4, id_prefix="node", counts=(Measure.NODES, Measure.EDGES), why="mesh")
ORG = Label.budgeted("org_id", 5, id_prefix="org", counts=(Measure.ORGS,), why="customers")
ENV = Label.budgeted(
    "env_id", 100, id_prefix="env", determines=("org_id",), counts=(Measure.ENVS,), quota="max_envs", why="envs"
)
ROUTE = Label.budgeted("route_id", 50, id_prefix="rt", counts=(Measure.ROUTES,), why="routes")
TYPE = Label.budgeted("process_type", 8, why="names")
KIND = Label.closed("kind", at_most=3)
SIZE = Label.closed("size", at_most=2)
INSTANCE = Label(name="instance_id", domain="budgeted", at_most=64, id_prefix="inst", why="fits", is_per_instance=True)
PLACED = Joint(name="placed", labels=("env_id", "process_type"), at_most=40, why="groups on a node")
HOMES = Joint(name="homes", labels=("env_id", "kind"), at_most=40, why="homes of an env")

Kind = Annotated[Literal["a", "b", "c"], KIND]
EnvId = Annotated[str, ENV]


@gauge("heard_seconds", serves=("T",), components=("hub",))
def HEARD(*, node_id: Annotated[str, NODE]) -> None:
    """By node."""


@counter("billed_total", serves=("T",), components=("hub",))
def BILLED(*, env_id: EnvId, org_id: Annotated[str, ORG]) -> None:
    """By env, and the org of it."""


@gauge("used_bytes", serves=("T",), components=("worker",), joints=(PLACED,))
def USED(*, env_id: EnvId, process_type: Annotated[str, TYPE]) -> None:
    """By group."""


@gauge("homes", serves=("T",), components=("worker",), joints=(HOMES,))
def BY_HOME(*, env_id: EnvId, kind: Kind) -> None:
    """By env and kind."""


@instance_gauge(
    "instance_bytes", serves=("T",), quota="max_instances", max_series=30, aggregate=USED, plane=Plane.COMMON,
    components=("worker",),
)  # fmt: skip
def OF_INSTANCE(*, instance_id: Annotated[str, INSTANCE]) -> None:
    """By instance."""


@gauge("backends", serves=("T",), components=("door",))
def BACKENDS(*, route_id: Annotated[str, ROUTE]) -> None:
    """By route."""


FAMILIES: list[Family[...]] = [HEARD, BILLED, USED, BY_HOME, OF_INSTANCE, BACKENDS]
COMPONENTS = [
    Component(name="hub", plane=Plane.CONTROL_PLANE),
    Component(name="worker", plane=Plane.DATA_PLANE, has_node=True),
    Component(name="door", plane=Plane.EDGE, has_node=True),
]
SMALL = Catalog("small", components=COMPONENTS, signals=FAMILIES)


def series(size: PlatformSize, quotas: Quotas | None = None) -> dict[str, int]:
    """What one process holds of each family."""
    targets = platform_budget(SMALL, size, quotas).targets
    return {budget.family: budget.series for target in targets for budget in target.families}


def test_without_a_size_the_bounds_of_the_labels_count() -> None:
    """What nobody has counted is as much as a process admits; of nodes and edges there is one each."""
    assert series(PlatformSize()) == {
        "heard_seconds": 2 + 1, "billed_total": 100 + 1, "used_bytes": 40 + 1, "homes": 40 + 1, "instance_bytes": 30,
        "backends": 50 + 1,
    }  # fmt: skip


def test_a_size_narrows_what_it_counts_and_nothing_else() -> None:
    """Two envs have two values; in a joint domain with a label that nobody counts, its own bound stays."""
    assert series(PlatformSize(nodes=9, edges=1, orgs=1, envs=2, routes=7)) == {
        "heard_seconds": 4 + 1, "billed_total": 2 + 1, "used_bytes": 40 + 1, "homes": 2 * 3 + 1, "instance_bytes": 30,
        "backends": 7 + 1,
    }  # fmt: skip


def test_a_quota_limits_what_the_orgs_can_have() -> None:
    """Three orgs with at most four envs each have twelve, however many are said to exist; no orgs known, no limit.

    Instances are another matter: while a release rolls out there are more than the quota of what is desired.
    """
    quotas = Quotas(per_org={"max_envs": 4, "max_instances": 5})
    limited = series(PlatformSize(orgs=3, envs=2_000), quotas)
    assert (limited["billed_total"], limited["instance_bytes"]) == (3 * 4 + 1, 30)
    assert series(PlatformSize(orgs=3), quotas)["billed_total"] == 3 * 4 + 1
    assert series(PlatformSize(), quotas)["billed_total"] == 100 + 1


def test_a_component_runs_once_a_node_once_an_edge_or_once() -> None:
    """Agents are on nodes, edges on edge nodes; of the rest one process runs, unless somebody says otherwise."""
    size = PlatformSize(nodes=50, edges=4, processes={"hub": 3})
    budget = platform_budget(SMALL, size)
    assert {target.component: target.processes for target in budget.targets} == {"hub": 3, "worker": 50, "door": 4}
    assert budget.target_count == 57
    assert budget.series == budget.samples == 3 * (5 + 101) + 50 * (41 + 41 + 30) + 4 * 51


def test_the_ceiling_does_not_rest_on_the_size() -> None:
    """It is what the processes admit, whatever the labels say."""
    budget = platform_budget(SMALL, PlatformSize(nodes=2, edges=1, orgs=1, envs=1, routes=1))
    assert budget.ceiling == sum(SMALL.worst_case(target.component) * target.processes for target in budget.targets)
    assert budget.series < budget.ceiling


def test_what_the_scraper_writes_is_in_the_series_and_not_in_the_samples() -> None:
    """Prometheus adds ``up`` and four figures of the scrape to every target."""
    catalog = COMMON.extend("one", components=[Component(name="hub", plane=Plane.COMMON)])
    budget = platform_budget(catalog, PlatformSize())
    assert budget.series - budget.samples == 5


def test_alerts_cost_series_too() -> None:
    """Two states and a start for each result of a rule: a node's own label has as many values as there are nodes."""
    signal = query("max by (node_id, kind) ($homes) == 0", homes=BY_HOME)
    scene = Scene(series=(), minutes=1)
    rule = Rule(severity=Severity.TICKET, query=signal, for_s=60, summary="Gone.", fires=scene, quiet=scene)
    alert = Alert(name="Gone", help="Gone.", plane=Plane.COMMON, serves=("T",), components=("hub",), rules=(rule,))
    catalog = SMALL.extend(signals=[alert])
    assert platform_budget(catalog, PlatformSize(nodes=7)).alert_series == (7 * (3 + 1) + 1) * 3


def test_a_bound_says_what_it_rests_on_and_what_is_folded() -> None:
    """A quota from a file names the file and the key; the rest is assumed. Ten nodes in a bound of four fold six."""
    quotas = Quotas(path=Path("quotas.toml"), per_org={"max_envs": 200})
    bounds = {bound.labels: bound for bound in platform_budget(SMALL, PlatformSize(nodes=9, orgs=2), quotas).bounds}
    assert (bounds["node_id",].there_are, bounds["node_id",].surplus, bounds["node_id",].enforced) == (10, 6, "")
    assert (bounds["env_id",].there_are, bounds["env_id",].surplus) == (400, 300)
    assert bounds["env_id",].enforced == "quotas.toml per_org.max_envs = 200"
    assert (bounds["env_id", "process_type"].there_are, bounds["env_id", "process_type"].surplus) == (None, 0)
    assert [(part.labels, part.there_are) for part in bounds["env_id", "process_type"].parts] == [
        (("env_id",), 400), (("process_type",), None),
    ]  # fmt: skip
    assert (bounds["env_id", "kind"].there_are, bounds["env_id", "kind"].surplus) == (400 * 3, 400 * 3 - 40)
    assert (bounds["instance_id",].at_most, bounds["instance_id",].quota, bounds["instance_id",].enforced) == (
        30, "max_instances", "",
    )  # fmt: skip


def test_what_is_closed_rests_on_nothing() -> None:
    """A joint domain of closed labels is written down, so it is no assumption."""
    pairs = Joint(name="pairs", labels=("kind", "size"), at_most=0, reserved=(("a", "s"),), why="pairs that there are")

    def by_pair(*, kind: Kind, size: Annotated[Literal["s", "m"], SIZE]) -> None:
        """By pair."""

    catalog = Catalog("pairs", components=COMPONENTS, signals=[counter("x_total", serves=("T",), joints=(pairs,))(by_pair)])
    budget = platform_budget(catalog, PlatformSize())
    assert (budget.bounds, {target.series for target in budget.targets}) == ((), {1 + 1})


@pytest.mark.parametrize("count", [0, -1, 1_000_001, 1.5, True, float("nan")])
def test_a_size_is_a_whole_number(count: object) -> None:
    """Nothing, less than nothing and more than anybody has are refused in one sentence."""
    with pytest.raises(UsageError) as caught:
        replace(PlatformSize(), envs=count)  # type: ignore[arg-type]
    assert str(caught.value) == f"envs is {count!r}; a platform has a whole number of them, from 1 to 1000000"
    with pytest.raises(UsageError):
        PlatformSize(processes={"hub": count})  # type: ignore[dict-item]


def test_processes_of_an_unknown_component_are_refused() -> None:
    """A misspelt component would be left out of the total without anybody seeing it."""
    with pytest.raises(UnknownSignal, match="component 'hubb' is not in catalog 'small'"):
        platform_budget(SMALL, PlatformSize(processes={"hubb": 2}))


def test_the_platform_of_the_plan_has_a_total() -> None:
    """50 nodes and 4 edges are 57 targets, and no size passes what the processes admit."""
    budget = platform_budget(PLATFORM, PlatformSize(nodes=50, edges=4, orgs=500, envs=2_000))
    assert budget.target_count == 57
    assert budget.series <= budget.ceiling
    assert budget.samples == budget.series - budget.alert_series - 5 * 57
