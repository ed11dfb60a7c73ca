"""The proof: how many series a family, a component and a platform can hold at worst.

The worst case is computed from the declarations alone, before anything runs. Each open domain and
each closed label costs one value more than it lists, because a surplus or undeclared value is
folded into ``_other`` and that series exists too (design §5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod

from obslib.catalog.families import ExternalMetric, Family, InstanceMetric
from obslib.catalog.labels import Domain, Joint, LabelUse
from obslib.errors import CardinalityError

__all__ = ["FAMILY_BUDGET", "PROCESS_BUDGET", "Factor", "FamilyBudget", "prove_family", "prove_process"]

FAMILY_BUDGET = 2_000
PROCESS_BUDGET = 10_000

Values = Callable[[LabelUse], int]
"""How many values a label use can hold in the component at hand, without ``_other``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One multiplier of the worst case: the labels it stands for and how many combinations they allow."""

    labels: tuple[str, ...]
    bound: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyBudget:
    """The proven worst case of one family in one process."""

    family: str
    factors: tuple[Factor, ...]
    samples_per_series: int

    @property
    def series(self) -> int:
        """Exposition lines at worst."""
        return prod(factor.bound for factor in self.factors) * self.samples_per_series


def prove_family(family: Family[...] | ExternalMetric, values: Values) -> FamilyBudget:
    """Compute the worst case of ``family``; raises CardinalityError when it passes ``FAMILY_BUDGET``."""
    if isinstance(family, ExternalMetric):
        return FamilyBudget(family=family.name, factors=(), samples_per_series=family.series)
    if isinstance(family, InstanceMetric):
        factors: tuple[Factor, ...] = (Factor(labels=family.label_names, bound=family.max_series),)
    else:
        factors = tuple(_factors(family.labels, family.joints, values))
    budget = FamilyBudget(family=family.name, factors=factors, samples_per_series=family.samples_per_series)
    if budget.series > FAMILY_BUDGET:
        widest = max(factors, key=lambda factor: factor.bound)
        raise CardinalityError(
            f"metric {family.name!r} could reach {budget.series} series, over the budget of {FAMILY_BUDGET}; "
            f"narrow {' x '.join(widest.labels)!r} ({widest.bound} values) or use fewer buckets"
        )
    return budget


def prove_process(component: str, budgets: Iterable[FamilyBudget]) -> int:
    """Sum the families of one process; raises CardinalityError when the sum passes ``PROCESS_BUDGET``."""
    listed = list(budgets)
    total = sum(budget.series for budget in listed)
    if total > PROCESS_BUDGET:
        largest = sorted(listed, key=lambda budget: -budget.series)[:3]
        raise CardinalityError(
            f"component {component!r} could reach {total} series, over the budget of {PROCESS_BUDGET}; "
            f"the largest are {', '.join(f'{b.family} ({b.series})' for b in largest)}"
        )
    return total


def _factors(labels: tuple[LabelUse, ...], joints: tuple[Joint, ...], values: Values) -> Iterable[Factor]:
    grouped = {name for joint in joints for name in joint.labels}
    determined = {name for use in labels for name in use.label.determines}
    for joint in joints:
        yield Factor(labels=joint.labels, bound=joint.bound)
    for use in labels:
        if use.name in grouped or use.name in determined:
            continue
        yield Factor(labels=(use.name,), bound=_bound(use, values))


def _bound(use: LabelUse, values: Values) -> int:
    held = use.label.at_most if use.label.domain is Domain.BUDGETED else values(use)
    return held + 1
