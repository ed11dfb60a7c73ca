"""What a platform of a given size holds at worst: per process, per Prometheus, and what each bound rests on.

Two figures of each: *series* at this size, which holds while components drop what belongs to things that are gone, and
the *ceiling*, which holds whatever happens, because a process admits no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from obslib.budget.alerting import alert_series
from obslib.budget.quotas import Quotas
from obslib.budget.size import PlatformSize
from obslib.catalog import Catalog, Domain, ExternalMetric, Family, InstanceMetric, Label, Measure
from obslib.catalog.budget import FamilyBudget

__all__ = ["Bound", "PlatformBudget", "TargetBudget", "platform_budget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One bound of the proof: at most ``at_most`` values of ``labels`` in a process, and what that rests on.

    ``there_are`` is how many a platform of this size has (None: unknown); what passes the bound is folded into ``_other``.
    ``enforced`` names the file and key of the quota behind it, and is empty where it is an assumption.
    """

    labels: tuple[str, ...]
    at_most: int
    there_are: int | None
    quota: str
    enforced: str
    why: str

    @property
    def surplus(self) -> int:
        """How many values have no series of their own, at worst."""
        return max(0, (self.there_are or 0) - self.at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetBudget:
    """One component: how many processes run, and what each of them holds at worst."""

    component: str
    processes: int
    families: tuple[FamilyBudget, ...]
    ceiling: int

    @property
    def series(self) -> int:
        """Series of one process in a Prometheus, those included that Prometheus writes about its target."""
        return sum(budget.series for budget in self.families)

    @property
    def samples(self) -> int:
        """Samples in one scrape of one process."""
        return sum(budget.series for budget in self.families if not _is_of_scraper(budget))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformBudget:
    """The whole platform in one Prometheus that scrapes every process and evaluates the catalog's alerts."""

    size: PlatformSize
    targets: tuple[TargetBudget, ...]
    alert_series: int
    bounds: tuple[Bound, ...]

    @property
    def series(self) -> int:
        """Series at worst, at this size."""
        return sum(target.series * target.processes for target in self.targets) + self.alert_series

    @property
    def ceiling(self) -> int:
        """Series at worst, whatever the labels say: no process admits more."""
        return sum(target.ceiling * target.processes for target in self.targets) + self.alert_series

    @property
    def target_count(self) -> int:
        """Processes to scrape."""
        return sum(target.processes for target in self.targets)

    @property
    def samples(self) -> int:
        """Samples in one scrape of every process."""
        return sum(target.samples * target.processes for target in self.targets)


def platform_budget(catalog: Catalog, size: PlatformSize, quotas: Quotas | None = None) -> PlatformBudget:
    """The worst case of a platform of ``size`` that runs every component of ``catalog``.

    Raises UnknownSignal when ``size`` counts processes of a component that the catalog does not have.
    """
    for component in size.processes:
        catalog.component(component)
    world = _World(size, quotas or Quotas())
    targets = tuple(
        TargetBudget(
            component=name,
            processes=size.processes_of(component),
            families=catalog.measured(name, world.existing),
            ceiling=catalog.worst_case(name),
        )
        for name, component in catalog.components.items()
    )
    bounds = tuple(_bounds(catalog, world))
    rules = alert_series(catalog, {target.component: (target.processes, target.families) for target in targets})
    return PlatformBudget(size=size, targets=targets, alert_series=rules, bounds=bounds)


@dataclass(frozen=True, slots=True)
class _World:
    """How many things there can be, by what is known of size and quotas."""

    size: PlatformSize
    quotas: Quotas

    def existing(self, measures: tuple[Measure, ...], quota: str) -> int | None:
        """The smaller of what there is and what the orgs may have; None where neither is known."""
        each = self.quotas.per_org.get(quota)
        allowed = None if each is None or self.size.orgs is None else each * self.size.orgs
        known = [count for count in (self.size.things(measures), allowed) if count is not None]
        return min(known, default=None)


def _is_of_scraper(budget: FamilyBudget) -> bool:
    return isinstance(budget.declaration, ExternalMetric) and budget.declaration.is_of_scraper


def _bounds(catalog: Catalog, world: _World) -> Iterator[Bound]:
    """Every open label that stands alone somewhere, every joint domain, every cap on instances."""
    families = catalog.of(Family)
    joints = dict.fromkeys(joint for family in families for joint in family.joints)
    for label in dict.fromkeys(label for family in families for label in _alone(family)):
        yield _bound((label.name,), label.at_most, world, label.why, label.counts, label.quota)
    for joint in joints:
        yield _bound(joint.labels, joint.at_most, world, joint.why)
    for family in families:
        if isinstance(family, InstanceMetric):
            why = f"the cap of {family.name}"
            yield _bound(family.label_names, family.max_series, world, why, quota=family.quota)


def _alone(family: Family[...]) -> Iterator[Label]:
    grouped = {name for joint in family.joints for name in joint.labels}
    if not isinstance(family, InstanceMetric):
        for use in family.labels:
            if use.label.domain is Domain.BUDGETED and use.name not in grouped:
                yield use.label


def _bound(
    labels: tuple[str, ...], at_most: int, world: _World, why: str, counts: tuple[Measure, ...] = (), quota: str = ""
) -> Bound:
    there_are = world.existing(counts, quota)
    return Bound(labels=labels, at_most=at_most, there_are=there_are, quota=quota, enforced=world.quotas.where(quota), why=why)
