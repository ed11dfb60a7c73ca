"""OBS608: a label holds a value of a shape that is unbounded by nature."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog.labels import FORBIDDEN
from obslib.catalog.shapes import refused_shape
from obslib.ids import is_id
from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names, fits
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["UnboundedValue"]


class UnboundedValue(ScrapeRule):
    """A label that is not for ids holds a hostname, a URL, an e-mail, an address, a ULID or a UUID.

    Why: such values never end, whatever the label is called, and some of them are personal data in a system that many
    people read (CARD-01).

    Fix: put a word for the kind of thing there, and the thing itself into a log line.
    """

    code = "OBS608"
    name = "unbounded-value"
    good = (
        '# TYPE db_up gauge\ndb_up{component="projector"} 1\n',
        'python_info{component="scheduler",implementation="CPython",major="3",minor="11",patchlevel="7",version="3.11.7"} 1\n',
    )
    bad = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="db1.internal.example"} 1\n',
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="https://example.org/a"} 1\n',
        'jobs_total{component="scheduler",owner="eve@example.org"} 1\n',
        'jobs_total{component="scheduler",peer="10.0.0.7"} 1\n',
        'process_open_fds{component="edge",node_id="edge1.internal.example"} 6\n',
        'jobs_total{component="scheduler",job="01J00000000000000000000000"} 1\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each label of each metric once; the value itself is not repeated in the sentence."""
        told = set[tuple[str, str]]()
        for sample in exposition.samples:
            known, family = names.find(sample.name), names.family_name(sample.name)
            uses, known_values = (known.uses, known.values) if known is not None else ({}, {})
            for label, value in sample.labels.items():
                shape = refused_shape(value)
                if shape is None or label in FORBIDDEN or (family, label) in told:
                    continue
                if label in uses and (fits(uses[label].label, value) or value in known_values.get(label, ())):
                    continue
                if label == "node_id" and is_id(value, "node"):
                    continue
                told.add((family, label))
                said = f"label {label!r} of {family!r} holds {_SHAPES[shape]}, which never ends; log the value instead"
                yield Fault(exposition.place_of_value(sample.line, label), said)


_SHAPES = {
    "hostname": "a host name", "url": "a URL", "email": "an e-mail address", "ip": "an IP address", "ulid": "a ULID",
    "uuid": "a UUID or a long hash", "too_long": "a text that is too long for a label", "secret": "a secret",
}  # fmt: skip
