"""OBS604: a sample has a label that its family does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog.labels import FORBIDDEN
from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["ExposedLabel"]


class ExposedLabel(ScrapeRule):
    """A sample has a label that its metric does not declare.

    Why: every label multiplies the series, and one that nobody declared has no bound; it also splits what alerts and
    panels add up.

    Fix: declare the label on the family, with its domain, or leave it out.
    """

    code = "OBS604"
    name = "exposed-label"
    good = (
        '# TYPE db_up gauge\ndb_up{component="projector"} 1\n',
        'python_gc_collections_total{component="projector",generation="2"} 1\n',
        'process_open_fds{component="edge",node_id="node_01J00000000000000000000000"} 1\n',
    )
    bad = (
        '# TYPE db_up gauge\ndb_up{component="projector",shard="1"} 1\n',
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler",le="1"} 1\n',
        'python_gc_collections_total{component="projector",generation="2",thread="main"} 1\n',
        '# TYPE db_up gauge\ndb_up{component="projector",job="projector"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each label of each metric once."""
        told = set[tuple[str, str]]()
        for sample, known, family in names.declared_among(exposition.samples):
            allowed = names.exposed(known)
            for label in sample.labels:
                if label in allowed or label in FORBIDDEN or (family.name, label) in told:
                    continue
                told.add((family.name, label))
                has = ", ".join(sorted(allowed))
                yield Fault(
                    exposition.place_of_label(sample.line, label),
                    f"metric {family.name!r} has no label {label!r}, only {has}; declare it there, or leave it out",
                )
