"""OBS609: a family has more series than the catalog proves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from obslib.catalog import OVERFLOW, Domain
from obslib.lint.artifacts.exposition import Exposition
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
        """Each metric and each of its labels once, at the first sample too many."""
        held: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        series: dict[tuple[str, str], set[object]] = defaultdict(set)
        told = set[tuple[str, ...]]()
        budgets = {name: {b.family: b.series for b in names.catalog.budget(name)} for name in names.catalog.components}
        for sample in exposition.samples:
            known, component = names.find(sample.name), sample.labels.get("component", "")
            if known is None or known.declaration is None:
                continue
            family = known.declaration.name
            series[family, component].add((sample.name, *sorted(sample.labels.items())))
            most = budgets.get(component, {}).get(family)
            if most is not None and len(series[family, component]) > most and (family, component) not in told:
                told.add((family, component))
                said = f"{family!r} has more than the {most} series that are proven for {component!r}"
                yield Fault(
                    exposition.place(sample.line, sample.name), f"{said}; expose it through obslib, which folds the rest"
                )
            for label, use in known.uses.items():
                values = held[family, component, label]
                values.update({sample.labels.get(label, OVERFLOW)} - {OVERFLOW})
                is_over = use.label.domain is Domain.BUDGETED and len(values) > use.label.at_most
                if is_over and (family, component, label) not in told:
                    told.add((family, component, label))
                    said = f"label {label!r} of {family!r} has more than the {use.label.at_most} values of its domain"
                    yield Fault(
                        exposition.place_of_label(sample.line, label), f"{said}; expose it through obslib, which folds the rest"
                    )
