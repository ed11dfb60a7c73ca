"""Which families and components pass their budget, which label of each to change, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from obslib.budget.hint import Hint, hints
from obslib.catalog.budget import FAMILY_BUDGET, PROCESS_BUDGET, Budgets, FamilyBudget

__all__ = ["Offence", "offences"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """A family that passes its budget, or one to cut because its component passes that of a process.

    ``component`` is where it is widest, ``label`` the one to change (empty where only buckets help), ``most`` what it may
    come to, ``total`` what the whole component comes to (0 where the family's own budget is passed).
    """

    family: str
    component: str
    series: int
    most: int
    label: str
    hints: tuple[Hint, ...]
    total: int = 0


def offences(budgets: Budgets) -> tuple[Offence, ...]:
    """Every offence, families before components; empty for budgets that are kept."""
    of_families = tuple(_of_families(budgets))
    found = (each for component, listed in budgets.items() for each in _of_process(component, listed))
    return (*of_families, *found)


def _of_families(budgets: Budgets) -> Iterator[Offence]:
    widest: dict[str, tuple[str, FamilyBudget]] = {}
    for component, listed in budgets.items():
        for budget in listed:
            seen = widest.get(budget.family)
            if budget.is_exceeded and (seen is None or seen[1].series < budget.series):
                widest[budget.family] = (component, budget)
    for component, budget in widest.values():
        yield _offence(component, budget, FAMILY_BUDGET)


def _of_process(component: str, listed: tuple[FamilyBudget, ...]) -> Iterator[Offence]:
    """The fewest families that bring a component back into its budget when each gives up its share, none more than half.

    A family over its own budget counts as what that leaves it; where none has anything to give up, there is no offence.
    """
    room = {budget: min(budget.series, FAMILY_BUDGET) for budget in listed if hints(budget, budget.series // 2)}
    total = sum(budget.series for budget in listed)
    excess = total - sum(budget.series - left for budget, left in room.items()) - PROCESS_BUDGET
    chosen: dict[FamilyBudget, int] = {}
    for budget, left in sorted(room.items(), key=lambda each: -each[1]) if excess > 0 else ():
        chosen[budget] = left
        if sum(chosen.values()) >= 2 * excess:
            break
    for budget, left in chosen.items():
        share = -(-excess * left // sum(chosen.values()))
        yield _offence(component, budget, max(1, left - share), total=total)


def _offence(component: str, budget: FamilyBudget, most: int, *, total: int = 0) -> Offence:
    offered = hints(budget, most)
    label = next((hint.labels[0] for hint in offered if hint.labels), "")
    return Offence(
        family=budget.family, component=component, series=budget.series, most=most, label=label, hints=offered, total=total
    )
