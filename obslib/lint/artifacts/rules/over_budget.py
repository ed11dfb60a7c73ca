"""OBS609: a family has more series than the catalog proves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from obslib.catalog import OVERFLOW, Domain, ExternalMetric, Family
from obslib.catalog.budget import FamilyBudget
from obslib.lint.artifacts.exposition import Exposition, Sample
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["OverBudget"]


class OverBudget(ScrapeRule):
    """A metric has more series than its proven worst case, or a label more values than its domain holds.

    Why: the sample limit of the scrape is the sum of the proofs, so Prometheus drops the whole scrape when it is passed:
    every alert about this process goes blind at once.

    Fix: expose the family through obslib, which folds what is surplus; or give the label the domain that it has.
    """

    code = "OBS609"
    name = "over-budget"
    good = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler"} 1\n',
        "# TYPE build_info gauge\n"
        'build_info{component="scheduler",version="1"} 1\n'
        'build_info{component="scheduler",version="_other"} 1\n',
    )
    bad = (
        "# TYPE build_info gauge\n"
        'build_info{component="scheduler",version="1"} 1\n'
        'build_info{component="scheduler",version="2"} 1\n',
        "# TYPE health_ready gauge\n"
        'health_ready{component="scheduler",shard="1"} 1\n'
        'health_ready{component="scheduler",shard="2"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each metric once, then each of its domains once, at the first sample too many."""
        taken: dict[tuple[str, ...], set[object]] = defaultdict(set)
        told = set[tuple[str, ...]]()
        budgets = {name: {b.family: b for b in names.catalog.budget(name)} for name in names.catalog.components}
        for sample in exposition.samples:
            family, component = names.declared(sample.name), sample.labels.get("component", "")
            if family is None or family.name not in budgets.get(component, {}):
                continue
            for place in _places(family, sample, budgets[component][family.name]):
                key = (family.name, component, *place.labels)
                taken[key].add(place.value)
                if len(taken[key]) > place.most and key not in told:
                    told.add(key)
                    said = f"{place.of}{family.name!r} has more than the {place.most} {place.what} for {component!r}"
                    label = place.labels[0] if place.labels else ""
                    at = exposition.place_of_label(sample.line, label) if label else exposition.place(sample.line, sample.name)
                    yield Fault(at, f"{said}; expose it through obslib, which folds the rest")


@dataclass(frozen=True, slots=True)
class _Place:
    """What a sample takes up: a series of its family, or a place in the domain of some of its labels."""

    labels: tuple[str, ...]
    value: object
    most: int
    what: str = "values of its domain"

    @property
    def of(self) -> str:
        """The labels, where it is about some."""
        return f"{' x '.join(self.labels)} of " if self.labels else ""


def _places(family: Family[...] | ExternalMetric, sample: Sample, proven: FamilyBudget) -> Iterator[_Place]:
    yield _Place((), (sample.name, *sorted(sample.labels.items())), proven.series, "series that are proven")
    if not isinstance(family, Family):
        return
    joints = {joint.labels for joint in family.joints}
    joined = {name for labels in joints for name in labels}
    open_uses = [use for use in family.labels if use.label.domain is Domain.BUDGETED and use.name not in joined]
    domains = [(factor.labels, factor.bound - 1) for factor in proven.factors if factor.labels in joints]
    domains += [((use.name,), use.label.at_most) for use in open_uses]
    for labels, most in domains:
        values = tuple(sample.labels.get(name) for name in labels)
        if OVERFLOW not in values:
            yield _Place(labels, values, most)
