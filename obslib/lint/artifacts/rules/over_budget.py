"""OBS609: a family has more series than the catalog proves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from obslib.catalog import OVERFLOW, Domain, ExternalMetric, Family
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
        series: dict[tuple[str, ...], set[object]] = defaultdict(set)
        told = set[tuple[str, ...]]()
        budgets = {name: {b.family: b.series for b in names.catalog.budget(name)} for name in names.catalog.components}
        for sample in exposition.samples:
            known, component = names.find(sample.name), sample.labels.get("component", "")
            if known is None or known.declaration is None or known.declaration.name not in budgets.get(component, {}):
                continue
            family = known.declaration.name
            held: list[tuple[tuple[str, ...], object, int, str]] = [
                (
                    (),
                    (sample.name, *sorted(sample.labels.items())),
                    budgets[component][family],
                    "series that are proven",
                ),
                *_domains(known.declaration, sample),
            ]
            for labels, value, most, what in held:
                key = (family, component, *labels)
                series[key].add(value)
                if len(series[key]) > most and key not in told:
                    told.add(key)
                    about = f"{' x '.join(labels)} of {family!r}" if labels else repr(family)
                    said = f"{about} has more than the {most} {what} for {component!r}"
                    yield Fault(
                        exposition.place_of_label(sample.line, labels[0])
                        if labels
                        else exposition.place(sample.line, sample.name),
                        f"{said}; expose it through obslib, which folds the rest",
                    )


def _domains(family: Family[...] | ExternalMetric, sample: Sample) -> Iterator[tuple[tuple[str, ...], object, int, str]]:
    """What a sample takes of each open domain of its family: the labels, their values, how many there may be."""
    if not isinstance(family, Family):
        return
    joined = {name for joint in family.joints for name in joint.labels}
    groups = [(joint.labels, joint.at_most + len(joint.reserved)) for joint in family.joints]
    groups += [
        ((use.name,), use.label.at_most)
        for use in family.labels
        if use.label.domain is Domain.BUDGETED and use.name not in joined
    ]
    for labels, most in groups:
        values = tuple(sample.labels.get(name) for name in labels)
        if OVERFLOW not in values:
            yield labels, values, most, "values of its domain"
