"""OBS607: a label holds a value that its domain does not have."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog import OVERFLOW, Domain, Family, LabelUse
from obslib.catalog.shapes import refused_shape
from obslib.lint.artifacts.exposition import Exposition, Sample
from obslib.lint.artifacts.names import Known, Names, fits
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["OutsideDomain"]


class OutsideDomain(ScrapeRule):
    """A label holds a value that its domain does not have: a closed label another word, an id another prefix.

    Why: the series budget is proven from the domains, so it no longer holds; and a panel or an alert that lists the values
    leaves this one out.

    Fix: declare the value, or expose the family through obslib, which folds such a value into ``_other`` and counts it.
    """

    code = "OBS607"
    name = "outside-domain"
    good = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler"} 1\n',
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="_other"} 1\n',
        '# TYPE build_info gauge\nbuild_info{component="scheduler",version="1.2.3+abc"} 1\n',
    )
    bad = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="cleanup"} 1\n',
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="agent_reconcile"} 1\n',
        '# TYPE build_info gauge\nbuild_info{component="scheduler",version="not a version"} 1\n',
        "# TYPE loop_iteration_duration_seconds histogram\n"
        'loop_iteration_duration_seconds_bucket{component="scheduler",loop="scheduler",le="0.3"} 1\n'
        'loop_iteration_duration_seconds_bucket{component="scheduler",loop="scheduler",le="+Inf"} 1\n'
        'loop_iteration_duration_seconds_sum{component="scheduler",loop="scheduler"} 1\n'
        'loop_iteration_duration_seconds_count{component="scheduler",loop="scheduler"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each value of each label of each metric once."""
        looked_at = set[tuple[str, ...]]()
        for sample in exposition.samples:
            known = names.find(sample.name)
            if known is None or not isinstance(known.declaration, Family):
                continue
            for label, value in sample.labels.items():
                key = (known.declaration.name, sample.labels.get("component", ""), label, value)
                if key in looked_at:
                    continue
                looked_at.add(key)
                said = _wrong(sample, known, label, value, names)
                if said:
                    yield Fault(exposition.place_of_value(sample.line, label), said)


def _wrong(sample: Sample, known: Known, label: str, value: str, names: Names) -> str:
    use, component = known.uses.get(label), sample.labels.get("component", "")
    if label == "le" and value not in known.values.get("le", (value,)):
        return f"{sample.name!r} has a bucket {value!r}, which is not declared; expose the declared ones"
    if use is None or value == OVERFLOW:
        return ""
    if use.label.domain is Domain.CLOSED:
        return _outside_closed(sample, use, value, component, names)
    if fits(use.label, value) or refused_shape(value):
        return ""
    wants = f"ids like '{use.label.id_prefix}_…'" if use.label.id_prefix else f"what matches {use.label.pattern!r}"
    return f"label {label!r} of {sample.name!r} holds {wants}, not {value!r:.60}; expose it through obslib, which folds it"


def _outside_closed(sample: Sample, use: LabelUse, value: str, component: str, names: Names) -> str:
    if component not in names.catalog.components or value in names.closed(use, component):
        return ""
    if refused_shape(value):
        return ""
    said = f"label {use.name!r} of {sample.name!r} is never {value!r:.60} in {component!r}"
    return f"{said}; declare the value, or expose the family through obslib, which folds it into {OVERFLOW!r}"
