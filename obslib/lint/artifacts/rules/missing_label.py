"""OBS606: a sample lacks a label that its family declares."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog import Family
from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["MissingLabel"]


class MissingLabel(ScrapeRule):
    """A sample lacks a label that its metric declares, or the component that every sample carries.

    Why: a query that groups by the label puts such series under the empty value, and an alert that matches it never sees
    them.

    Fix: let obslib's registry expose the family; it puts ``component``, and ``node_id`` on a node, on every sample.
    """

    code = "OBS606"
    name = "missing-label"
    good = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler"} 1\n',
        'process_open_fds{component="agent",node_id="node_01J00000000000000000000000"} 6\n',
    )
    bad = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler"} 1\n',
        "# TYPE db_up gauge\ndb_up 1\n",
        "process_open_fds 6\n",
        '# TYPE health_ready gauge\nhealth_ready{component="edge"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each label of each metric once."""
        told = set[tuple[str, str]]()
        for sample, known, family in names.declared_among(exposition.samples):
            component = names.catalog.components.get(sample.labels.get("component", ""))
            is_on_node = component is not None and component.has_node and "node_id" in names.exposed(known)
            wanted = ["component", *(["node_id"] if is_on_node else [])]
            if isinstance(family, Family):
                wanted += [*family.label_names, *(["le"] if "le" in known.values else [])]
            for label in wanted:
                if not sample.labels.get(label) and (family.name, label) not in told:
                    told.add((family.name, label))
                    said = f"a sample of {sample.name!r} has no {label!r}; every sample of it carries one"
                    yield Fault(exposition.place(sample.line, sample.name), said)
