"""Every family and component that passes its budget is named, with the label to change."""

from __future__ import annotations

from typing import Annotated

import pytest

from obslib.budget import Offence, offence, offences
from obslib.catalog import Declaration, Label, budget
from obslib.catalog.budget import FAMILY_BUDGET, PROCESS_BUDGET, BudgetExceeded
from tests.budget.shop import a_counter, a_shop, by_customer, by_env, by_kind, by_org, plain

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
    (each,) = found(a_counter(by_customer), components=("shop", "till"))
    assert (each.component, each.total) == ("shop", 0)


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


def test_following_every_hint_brings_the_catalog_into_its_budgets() -> None:
    """Families over their own budget and a component over its are told apart, and what is left of both fits."""
    wide = [a_counter(by_customer, name=f"wide{number}_total") for number in range(8)]
    half = [a_counter(by_half, name=f"half{number}_total") for number in range(3)]
    listed = found(*wide, *half)
    held = dict.fromkeys((f"half{number}_total" for number in range(3)), FAMILY_BUDGET // 2)
    for each in listed:
        held[each.family] = max(hint.series for hint in each.hints)
    assert sum(held.values()) <= PROCESS_BUDGET
    assert max(held.values()) <= FAMILY_BUDGET


def test_a_component_without_a_family_to_cut_offends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Families of one series each have nothing to give up: none is blamed, and the error says it all."""
    for module in (budget, offence):
        monkeypatch.setattr(module, "PROCESS_BUDGET", 9)
    with pytest.raises(BudgetExceeded, match="component 'shop' could reach 10 series, over the budget of 9") as caught:
        a_shop(*(a_counter(plain, name=f"many{number}_total") for number in range(10)))
    assert offences(caught.value.budgets) == ()


def test_what_is_within_its_budgets_offends_nobody() -> None:
    """No offence where a catalog builds."""
    shop = a_shop(a_counter(by_env))
    assert offences({"shop": shop.budget("shop")}) == ()
