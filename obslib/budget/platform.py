"""What a platform of a given size holds at worst: per process, per Prometheus, and what each bound rests on.

Two figures of each: *series* at this size, which holds while components drop what belongs to things that are gone, and
the *ceiling*, which holds whatever happens, because a process admits no more.
"""

from __future__ import annotations

from dataclasses import dataclass

from obslib.budget.alerting import alert_series
from obslib.budget.bound import Bound, bounds
from obslib.budget.quotas import Quotas
from obslib.budget.size import PlatformSize
from obslib.budget.world import World
from obslib.catalog import Catalog, ExternalMetric, Measure
from obslib.catalog.budget import FamilyBudget

__all__ = ["PlatformBudget", "TargetBudget", "platform_budget"]

_NARROWING = (Measure.ORGS, Measure.ENVS, Measure.ROUTES)


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
    """The whole platform in one Prometheus that scrapes every process and evaluates the catalog's alerts.

    ``idle`` are the measures that are known and narrow nothing: with more of them the total would be the same.
    """

    size: PlatformSize
    targets: tuple[TargetBudget, ...]
    alert_series: int
    bounds: tuple[Bound, ...]
    idle: tuple[Measure, ...]

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
    world = World(size, quotas or Quotas())
    targets = _targets(catalog, world)
    return PlatformBudget(
        size=size,
        targets=targets,
        alert_series=alert_series(catalog, {target.component: (target.processes, target.families) for target in targets}),
        bounds=tuple(bounds(catalog, world)),
        idle=tuple(measure for measure in _NARROWING if size.of(measure) and _is_idle(measure, catalog, world, targets)),
    )


def _targets(catalog: Catalog, world: World) -> tuple[TargetBudget, ...]:
    return tuple(
        TargetBudget(
            component=name,
            processes=world.size.processes_of(component),
            families=catalog.measured(name, world.existing),
            ceiling=catalog.worst_case(name),
        )
        for name, component in catalog.components.items()
    )


def _is_idle(measure: Measure, catalog: Catalog, world: World, targets: tuple[TargetBudget, ...]) -> bool:
    without = _targets(catalog, World(world.size.without(measure), world.quotas))
    return all(one.series == other.series for one, other in zip(targets, without, strict=True))


def _is_of_scraper(budget: FamilyBudget) -> bool:
    return isinstance(budget.declaration, ExternalMetric) and budget.declaration.is_of_scraper
