"""OBS605: a sample has a label that no metric may have."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog.labels import FORBIDDEN
from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["ForbiddenLabel"]


class ForbiddenLabel(ScrapeRule):
    """A sample has a label whose values are unbounded by nature: a path, a user, an address, a request.

    Why: each new value is a new series that Prometheus keeps in memory for hours; this is how one visitor with a counter
    takes a metrics system down (CARD-01).

    Fix: leave the label out; write the value to a log line, or show it in a describe command.
    """

    code = "OBS605"
    name = "forbidden-exposed-label"
    good = (
        '# TYPE db_up gauge\ndb_up{component="projector"} 1\n',
        '# TYPE agent_instance_memory_usage_ratio gauge\nagent_instance_memory_usage_ratio{component="agent",'
        'node_id="node_01J00000000000000000000000",instance_id="inst_01J00000000000000000000000"} 0.5\n',
    )
    bad = (
        '# TYPE db_up gauge\ndb_up{component="projector",hostname="db1"} 1\n',
        '# TYPE db_up gauge\ndb_up{component="projector",user_id="7"} 1\n',
        '# TYPE db_up gauge\ndb_up{component="projector",instance_id="inst_01J00000000000000000000000"} 1\n',
        'jobs_total{component="projector",url="/"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each label of each metric once, whether the metric is declared or not."""
        told = set[tuple[str, str]]()
        for sample in exposition.samples:
            known, family = names.find(sample.name), names.family_name(sample.name)
            for label in FORBIDDEN.intersection(sample.labels):
                if (known is None or label not in names.exposed(known)) and (family, label) not in told:
                    told.add((family, label))
                    said = f"label {label!r} of {family!r} is forbidden because its values are unbounded"
                    yield Fault(exposition.place_of_label(sample.line, label), f"{said}; log the value instead")
