"""OBS603: a family is exposed as another type than it is declared."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog import Counter, Family, Histogram
from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["WrongType"]


class WrongType(ScrapeRule):
    """A scrape gives a declared metric another type than its declaration, or none.

    Why: rate() over a gauge and a mean of a counter give figures that look right; Prometheus' own hints and Grafana's
    choices go by the type line.

    Fix: let obslib's registry expose the family; where another exporter writes it, write the declared ``# TYPE``.
    """

    code = "OBS603"
    name = "wrong-type"
    good = (
        '# TYPE db_up gauge\ndb_up{component="projector"} 1\n',
        "# TYPE loop_iterations_total counter\n"
        'loop_iterations_total{component="scheduler",loop="scheduler",result="success"} 1\n',
        "# TYPE loop_iterations counter\n"
        'loop_iterations_total{component="scheduler",loop="scheduler",result="success"} 1\n# EOF\n',
    )
    bad = (
        '# TYPE db_up counter\ndb_up{component="projector"} 1\n',
        'db_up{component="projector"} 1\n',
        '# TYPE loop_healthy untyped\nloop_healthy{component="scheduler",loop="scheduler"} 1\n',
        "# TYPE loop_iterations_total gauge\n"
        'loop_iterations_total{component="scheduler",loop="scheduler",result="success"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each family once, at its type line, or at its first sample when it has none."""
        types = {line.name: line for line in exposition.types}
        told = set[str]()
        for sample in exposition.samples:
            family = names.declared(sample.name)
            if not isinstance(family, Family) or family.name in told:
                continue
            told.add(family.name)
            wanted = "histogram" if isinstance(family, Histogram) else "counter" if isinstance(family, Counter) else "gauge"
            line = types.get(family.name) or types.get(family.name.removesuffix("_total"))
            if line is None:
                said = f"{family.name!r} has no '# TYPE {family.name} {wanted}' before it; a {wanted} is what is declared"
                yield Fault(exposition.place(sample.line, sample.name), said)
            elif line.type != wanted:
                said = f"{family.name!r} is exposed as a {line.type} and declared as a {wanted}; expose it as that"
                yield Fault(exposition.place(line.line, line.type), said)
