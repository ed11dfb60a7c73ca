"""The worst case is plain multiplication, and a catalog that could pass its budget is never built."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Annotated, Literal

import pytest

from obslib.catalog import (
    COMMON,
    Catalog,
    Component,
    ExternalMetric,
    Family,
    Joint,
    Label,
    LabelUse,
    Measure,
    Plane,
    budget,
    counter,
    gauge,
    histogram,
    instance_gauge,
)
from obslib.catalog.budget import FAMILY_BUDGET, PROCESS_BUDGET, BudgetExceeded, Factor, measure
from obslib.catalog.platform import PLATFORM
from obslib.errors import CardinalityError

SHOP = Component(name="shop", plane=Plane.COMMON)
SHELF = Label.budgeted("shelf", 9, why="shelves")
PLACE = Label.budgeted("place", 9, why="places", counts=(Measure.ENVS,))
ROW = Label.closed("row", "a", "b", "c")
ORG = Label.budgeted("org_id", 500, id_prefix="org", why="customers")
ENV = Label.budgeted("env_id", 99, id_prefix="env", determines=("org_id",), why="environments")
HUGE = Label.budgeted("huge", 1_999, why="many")
HUGER = Label.budgeted("huger", 2_000, why="one too many")
SPOTS = Joint(name="spots", labels=("row", "shelf"), at_most=6, reserved=(("a", "lost"),), why="spots in use")
PLACED = Joint(name="placed", labels=("env_id", "shelf"), at_most=20, why="groups")
INSTANCE = Label(name="instance_id", domain="budgeted", at_most=64, id_prefix="inst", why="quota", is_per_instance=True)

Row = Annotated[Literal["a", "b", "c"], ROW]


def unlabelled() -> None:
    """Help."""


def by_row(*, row: Row) -> None:
    """Help."""


def by_both(*, row: Row, shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def by_place(*, row: Row, place: Annotated[str, PLACE]) -> None:
    """Help."""


def by_env(*, env_id: Annotated[str, ENV], org_id: Annotated[str, ORG]) -> None:
    """Help."""


def by_placed(*, env_id: Annotated[str, ENV], shelf: Annotated[str, SHELF], org_id: Annotated[str, ORG], row: Row) -> None:
    """Help."""


def by_huge(*, huge: Annotated[str, HUGE]) -> None:
    """Help."""


def by_huger(*, huger: Annotated[str, HUGER]) -> None:
    """Help."""


def by_instance(*, instance_id: Annotated[str, INSTANCE]) -> None:
    """Help."""


def a_counter(function: Callable[..., None], *joints: Joint, name: str = "x_total") -> Family[...]:
    """A counter of that signature."""
    return counter(name, serves=("T",), joints=joints)(function)


@pytest.mark.parametrize(
    ("family", "series"),
    [
        (a_counter(unlabelled), 1),
        (a_counter(by_row), 3 + 1),
        (a_counter(by_both), (3 + 1) * (9 + 1)),
        (a_counter(by_both, SPOTS), 6 + 1 + 1),
        (a_counter(by_env), 99 + 1),
        (a_counter(by_placed, PLACED), (20 + 1) * (3 + 1)),
        (a_counter(by_huge), FAMILY_BUDGET),
        (histogram("x_seconds", serves=("T",), buckets=(0.1, 1.0))(by_row), (3 + 1) * (2 + 1 + 2)),
        (
            instance_gauge("x_bytes", serves=("T",), quota="q", max_series=16, aggregate=a_counter(unlabelled))(by_instance),
            16,
        ),
        (ExternalMetric(name="theirs", help="Theirs.", plane=Plane.COMMON, serves=("T",), series=3), 3),
    ],
    ids=["unlabelled", "closed", "closed x open", "joint", "determined", "joint and determined", "at the budget", "histogram",
         "per instance", "external"],
)  # fmt: skip
def test_the_worst_case_is_the_product_of_the_domains(family: Family[...], series: int) -> None:
    """Closed and open labels cost one value more than they list, a joint once, a determined label nothing."""
    assert measure(family, lambda use: len(use.values)).series == series


def as_a_product(room: budget._Room, joint: Joint, uses: list[LabelUse]) -> int:
    """A broken proof: a joint domain is multiplied out."""
    return prod(room.alone(use) for use in uses)


def of_each_label(family: Family[...], room: budget._Room) -> list[Factor]:
    """A broken proof: labels that others determine are multiplied too."""
    return [Factor(labels=(use.name,), bound=room.alone(use)) for use in family.labels]


@pytest.mark.parametrize(
    ("target", "attribute", "broken", "family", "series"),
    [
        (budget._Room, "together", as_a_product, a_counter(by_both, SPOTS), 6 + 1 + 1),
        (budget, "_factors", of_each_label, a_counter(by_env), 99 + 1),
    ],
    ids=["a joint as a product", "determines ignored"],
)
def test_mutant_a_proof_without_dependence_is_not_the_worst_case(
    target: object, attribute: str, broken: object, family: Family[...], series: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is too high, and the figures above tell."""
    monkeypatch.setattr(target, attribute, broken)
    with pytest.raises(AssertionError):
        test_the_worst_case_is_the_product_of_the_domains(family, series)


def test_a_family_over_its_budget_is_refused() -> None:
    """One value too many is one too many; the message names the widest label."""
    with pytest.raises(CardinalityError) as caught:
        Catalog("shop", components=[SHOP], signals=[a_counter(by_huger)])
    assert str(caught.value) == (
        "metric 'x_total' could reach 2001 series, over the budget of 2000; "
        "narrow 'huger' (2001 values), or see what 'obslib budget' offers instead"
    )


def test_every_offender_is_measured_before_the_catalog_is_refused() -> None:
    """The first one is named and the rest are counted; what was measured is kept, so that all of them can be told apart."""
    wrong = [a_counter(by_huger), a_counter(by_huger, name="y_total"), a_counter(by_row, name="z_total")]
    with pytest.raises(BudgetExceeded) as caught:
        Catalog("shop", components=[SHOP], signals=wrong)
    assert str(caught.value).endswith("what 'obslib budget' offers instead (and 1 more)")
    assert {budget.family: budget.series for budget in caught.value.budgets["shop"]} == {
        "x_total": 2_001, "y_total": 2_001, "z_total": 4,
    }  # fmt: skip


def test_no_process_starts_from_a_catalog_that_passes_its_budget() -> None:
    """Measuring all of it leaves no catalog behind that ``start()`` could be given, however it is built."""
    for build in (
        lambda: Catalog("shop", components=[SHOP], signals=[a_counter(by_huger)]),
        lambda: COMMON.extend("shop", components=[SHOP], signals=[a_counter(by_huger)]),
    ):
        with pytest.raises(BudgetExceeded) as caught:
            build()
        assert not any(isinstance(held, Catalog) for held in vars(caught.value).values())


@pytest.mark.parametrize(
    ("family", "naive"),
    [
        (a_counter(unlabelled), 1),
        (a_counter(by_both, SPOTS), (3 + 1) * (9 + 1)),
        (a_counter(by_env), (99 + 1) * (500 + 1)),
        (a_counter(by_placed, PLACED), (99 + 1) * (9 + 1) * (500 + 1) * (3 + 1)),
        (histogram("x_seconds", serves=("T",), buckets=(0.1, 1.0))(by_row), (3 + 1) * (2 + 1 + 2)),
    ],
)
def test_the_naive_product_knows_no_dependence(family: Family[...], naive: int) -> None:
    """It multiplies every label by every other, which is what the proof is shown beside."""
    assert measure(family, lambda use: len(use.values)).naive == naive


def test_a_process_over_its_budget_is_refused() -> None:
    """Families that fit one by one may not fit together; the message names the largest."""
    fits = [a_counter(by_huge, name=f"x{number}_total") for number in range(PROCESS_BUDGET // FAMILY_BUDGET)]
    assert Catalog("shop", components=[SHOP], signals=fits).worst_case("shop") == PROCESS_BUDGET
    with pytest.raises(CardinalityError) as caught:
        Catalog("shop", components=[SHOP], signals=[*fits, gauge("last", serves=("T",))(unlabelled)])
    assert str(caught.value) == (
        "component 'shop' could reach 10001 series, over the budget of 10000; "
        "the largest are x0_total (2000), x1_total (2000), x2_total (2000)"
    )


@pytest.mark.parametrize("component", sorted(PLATFORM.components))
def test_every_component_of_the_platform_fits(component: str) -> None:
    """The platform's own figures are under both budgets, and the whole is the sum of its parts."""
    budgets = PLATFORM.budget(component)
    assert max(budget.series for budget in budgets) <= FAMILY_BUDGET
    assert PLATFORM.worst_case(component) == sum(budget.series for budget in budgets) <= PROCESS_BUDGET


def test_what_is_reserved_is_none_of_the_things_that_are_counted() -> None:
    """With two places in three rows there are six pairs, the reserved one that names no place, and ``_other``."""
    spots = Joint(name="spots", labels=("row", "place"), at_most=60, reserved=(("a", "lost"),), why="spots in use")
    measured = measure(a_counter(by_place, spots), lambda use: len(use.values), lambda measures, _: 2 if measures else None)
    assert measured.series == 3 * 2 + 1 + 1


def test_labels_of_the_catalog_itself_cost_what_the_component_has() -> None:
    """A family labelled by loop costs an agent its own loops, not every loop there is."""
    worst = {budget.family: budget.series for budget in PLATFORM.budget("agent")}
    assert worst["loop_healthy"] == 1 + 1
