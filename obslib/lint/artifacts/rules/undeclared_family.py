"""OBS602: a process exposes what the catalog does not declare."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["UndeclaredFamily"]

_PART = re.compile(r"_(?:bucket|sum|count|created)\Z")


class UndeclaredFamily(ScrapeRule):
    """A scrape holds a metric that the catalog does not declare.

    Why: its series are in nobody's budget, no page explains it, and the next release may rename it without anyone noticing
    that an alert went blind.

    Fix: declare it beside the other families of its component; a family of somebody else's collector as an
    ``ExternalMetric``.
    """

    code = "OBS602"
    name = "undeclared-family"
    good = (
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler"} 1\n',
        'process_open_fds{component="scheduler"} 6\n',
        '# TYPE db_up gauge\ndb_up{component="projector"} 1\n# EOF\n',
    )
    bad = (
        '# TYPE jobs_total counter\njobs_total{component="scheduler"} 3\n',
        'loop_healthy_ratio{component="scheduler",loop="scheduler"} 1\n',
        'loop_iteration_duration_seconds{component="scheduler",loop="scheduler"} 1\n',
        'go_goroutines{component="scheduler"} 9\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each undeclared name once, at its first sample."""
        told = set[str]()
        parted = {line.name for line in exposition.types if line.type in ("histogram", "summary")}
        for sample in exposition.samples:
            base = _PART.sub("", sample.name)
            name = base if base in parted else sample.name
            if names.declared(sample.name) is None and name not in told:
                told.add(name)
                said = f"metric {name!r} is not in catalog {names.catalog.name!r}; {names.way_out(name)}"
                yield Fault(exposition.place(sample.line, sample.name), said)
