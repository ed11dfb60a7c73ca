"""The proof: how many series a family and a component can hold at worst.

The worst case is computed from the declarations alone, before anything runs. Each open domain and
each closed label costs one value more than it lists, because a surplus or undeclared value is
folded into ``_other`` and that series exists too (design §5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod

from obslib.catalog.families import ExternalMetric, Family, InstanceMetric
from obslib.catalog.labels import Domain, Joint, LabelUse, Measure
from obslib.errors import CardinalityError

__all__ = [
    "FAMILY_BUDGET", "PROCESS_BUDGET", "BudgetExceeded", "Budgets", "Existing", "Factor", "FamilyBudget", "measure", "prove",
    "unlimited",
]  # fmt: skip

FAMILY_BUDGET = 2_000
PROCESS_BUDGET = 10_000

Values = Callable[[LabelUse], int]
"""How many values a closed label can hold in the component at hand, without ``_other``."""

Existing = Callable[[tuple[Measure, ...], str], int | None]
"""How many things of these measures there can be, no org having more of them than this quota; None where nobody knows."""

Joints = Callable[[Joint], Joint]
"""A joint domain as it is in the component at hand, its combinations written out when the catalog gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One multiplier of the worst case: the labels it stands for and how many combinations they allow.

    A label that another one determines multiplies by 1.
    """

    labels: tuple[str, ...]
    bound: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyBudget:
    """The proven worst case of one family in one process, and ``alone``: what each label could hold by itself."""

    declaration: Family[...] | ExternalMetric
    factors: tuple[Factor, ...]
    alone: tuple[Factor, ...]
    samples_per_series: int

    @property
    def family(self) -> str:
        """The family's name."""
        return self.declaration.name

    @property
    def series(self) -> int:
        """Exposition lines at worst."""
        return prod(factor.bound for factor in self.factors) * self.samples_per_series

    @property
    def naive(self) -> int:
        """What it would be if every label were multiplied by every other, as if none depended on another."""
        return prod(factor.bound for factor in self.alone) * self.samples_per_series

    @property
    def is_exceeded(self) -> bool:
        """Whether the family passes ``FAMILY_BUDGET``; what others export has the series it has."""
        return isinstance(self.declaration, Family) and self.series > FAMILY_BUDGET


Budgets = Mapping[str, tuple[FamilyBudget, ...]]
"""What was measured of every family, by component."""


class BudgetExceeded(CardinalityError):
    """A catalog that is not built: ``budgets`` holds what was measured of each of its components, over budget or not."""

    def __init__(self, catalog: str, budgets: Budgets, sentences: tuple[str, ...]) -> None:
        more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
        super().__init__(sentences[0] + more)
        self.catalog = catalog
        self.budgets = budgets


def unlimited(measures: tuple[Measure, ...], quota: str) -> None:
    """Nobody knows how many things there are, so the bounds of the labels alone count."""


def _as_declared(joint: Joint) -> Joint:
    """No catalog gives a joint domain more combinations than it declares."""
    return joint


def measure(
    family: Family[...] | ExternalMetric, values: Values, existing: Existing = unlimited, joints: Joints = _as_declared
) -> FamilyBudget:
    """Compute the worst case of ``family``, whether or not it fits a budget."""
    if isinstance(family, ExternalMetric):
        return FamilyBudget(declaration=family, factors=(), alone=(), samples_per_series=family.series)
    room = _Room(values, existing, joints)
    alone = tuple(Factor(labels=(use.name,), bound=room.alone(use)) for use in family.labels)
    if isinstance(family, InstanceMetric):
        # Its quota narrows nothing: it counts what is desired, and while a release rolls out there are more.
        factors: tuple[Factor, ...] = (Factor(labels=family.label_names, bound=family.max_series),)
    else:
        factors = tuple(_factors(family, room))
    return FamilyBudget(declaration=family, factors=factors, alone=alone, samples_per_series=family.samples_per_series)


def prove(catalog: str, budgets: Budgets) -> None:
    """Hold the measured families of each component against both budgets; raises BudgetExceeded when one passes its own."""
    families = {budget.declaration: budget for listed in budgets.values() for budget in listed if budget.is_exceeded}
    sentences = [_of_family(budget) for budget in families.values()]
    for component, listed in budgets.items():
        if sum(budget.series for budget in listed) > PROCESS_BUDGET:
            sentences.append(_of_process(component, listed))
    if sentences:
        raise BudgetExceeded(catalog, budgets, tuple(sentences))


def _of_family(budget: FamilyBudget) -> str:
    widest = max(budget.factors, key=lambda factor: factor.bound, default=Factor(labels=(), bound=1))
    buckets = " or use fewer buckets" if budget.samples_per_series > 1 else ""
    return (
        f"metric {budget.family!r} could reach {budget.series} series, over the budget of {FAMILY_BUDGET}; "
        f"narrow {' x '.join(widest.labels)!r} ({widest.bound} values){buckets}, or see what 'obslib budget' offers instead"
    )


def _of_process(component: str, budgets: Iterable[FamilyBudget]) -> str:
    listed = sorted(budgets, key=lambda budget: -budget.series)
    return (
        f"component {component!r} could reach {sum(budget.series for budget in listed)} series, over the budget of "
        f"{PROCESS_BUDGET}; the largest are {', '.join(f'{b.family} ({b.series})' for b in listed[:3])}"
    )


@dataclass(frozen=True, slots=True)
class _Room:
    """How many values and combinations there can be, the ``_other`` of each domain included."""

    values: Values
    existing: Existing
    joints: Joints

    def alone(self, use: LabelUse) -> int:
        """Values of a label that is a domain of its own; the process holds an open one, and no other, to ``at_most``."""
        there_are = self._there_are(use)
        if there_are is None:
            return use.label.at_most + 1
        return (there_are if use.label.domain is Domain.CLOSED else min(use.label.at_most, there_are)) + 1

    def together(self, joint: Joint, uses: Iterable[LabelUse]) -> int:
        """Combinations of a joint domain. An open label in it is not held to its own bound, only to what there is.

        What is reserved may hold a value of an open label that is none of the things counted, ``unmatched`` say.
        """
        joint, listed = self.joints(joint), list(uses)
        counts = [self._there_are(use) for use in listed]
        known = [count for count in counts if count is not None]
        beside = len(joint.reserved) if any(use.label.domain is Domain.BUDGETED for use in listed) else 0
        return min(joint.bound, prod(known) + beside + 1) if len(known) == len(counts) else joint.bound

    def _there_are(self, use: LabelUse) -> int | None:
        """Values of a label that anybody can come up with; None where nothing but its own bound limits them."""
        if use.label.domain is Domain.CLOSED:
            return self.values(use)
        return self.existing(use.label.counts, use.label.quota)


def _factors(family: Family[...], room: _Room) -> Iterable[Factor]:
    uses = {use.name: use for use in family.labels}
    grouped = {name for joint in family.joints for name in joint.labels}
    determined = {name for use in family.labels for name in use.label.determines}
    for joint in family.joints:
        yield Factor(labels=joint.labels, bound=room.together(joint, [uses[name] for name in joint.labels]))
    for name, use in uses.items():
        if name not in grouped:
            yield Factor(labels=(name,), bound=1 if name in determined else room.alone(use))
