"""Every family and component that passes its budget is named, with the label to change."""

from __future__ import annotations

from typing import Annotated

import pytest

from obslib.budget import Offence, offences
from obslib.catalog import Declaration, Label
from obslib.catalog.budget import FAMILY_BUDGET, PROCESS_BUDGET, BudgetExceeded
from tests.budget.shop import a_counter, a_shop, by_customer, by_env, by_kind, by_org

HALF = Label.budgeted("half", FAMILY_BUDGET // 2 - 1, why="half of what a family may reach")


def by_half(*, half: Annotated[str, HALF]) -> None:
    """Help."""


def found(*signals: Declaration, components: tuple[str, ...] = ("shop",)) -> tuple[Offence, ...]:
    """The offences of a catalog that does not build."""
    with pytest.raises(BudgetExceeded) as caught:
        a_shop(*signals, components=components)
    return offences(caught.value.budgets)


def test_every_family_over_its_budget_is_found() -> None:
    """Not only the first; each with the label to change and a hint, and none for a family that fits."""
    listed = found(a_counter(by_customer, name="a_total"), a_counter(by_kind), a_counter(by_org, name="b_total"))
    assert [(each.family, each.series, each.most, each.label) for each in listed] == [
        ("a_total", 20_004, FAMILY_BUDGET, "customer"), ("b_total", 501_501, FAMILY_BUDGET, "env_id"),
    ]  # fmt: skip
    assert all(each.hints for each in listed)


def test_a_family_of_several_components_is_named_once() -> None:
    """On the one where it is widest."""
    (offence,) = found(a_counter(by_customer), components=("shop", "till"))
    assert (offence.component, offence.total) == ("shop", 0)


def test_a_component_over_its_budget_is_brought_back_by_its_largest_families() -> None:
    """As few as can do it when none gives up more than half; what each may come to adds up to the budget."""
    wide = [a_counter(by_half, name=f"wide{number}_total") for number in range(11)]
    listed = found(*wide, a_counter(by_kind, name="small_total"))
    assert {each.total for each in listed} == {11 * FAMILY_BUDGET // 2 + 4}
    assert [each.label for each in listed] == ["half", "half", "half"]
    left = 11 * FAMILY_BUDGET // 2 + 4 - sum(each.series - each.most for each in listed)
    assert PROCESS_BUDGET - len(listed) <= left <= PROCESS_BUDGET


def test_families_that_have_to_shrink_anyway_are_not_blamed_twice() -> None:
    """A component that is over only for a family over its own budget is not another offence."""
    assert [each.family for each in found(a_counter(by_customer), a_counter(by_env, name="y_total"))] == ["x_total"]


def test_what_is_within_its_budgets_offends_nobody() -> None:
    """No offence where a catalog builds."""
    shop = a_shop(a_counter(by_env))
    assert offences({"shop": shop.budget("shop")}) == ()
