"""OBS611: a scrape has one series twice."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.exposition import Exposition
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import Fault, ScrapeRule

__all__ = ["DuplicateSeries"]


class DuplicateSeries(ScrapeRule):
    """A scrape has two samples of one metric with the same labels.

    Why: Prometheus keeps one of them, which one is not promised, and warns in its own log only.

    Fix: let one collector write the family.
    """

    code = "OBS611"
    name = "duplicate-series"
    good = ('process_open_fds{component="projector"} 1\nprocess_max_fds{component="projector"} 1\n',)
    bad = (
        'process_open_fds{component="projector"} 1\nprocess_open_fds{component="projector"} 1\n',
        '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler"} 1\n'
        'loop_healthy{loop="scheduler",component="scheduler"} 0\n',
    )

    def check(self, exposition: Exposition, names: Names) -> Iterator[Fault]:
        """Each series once, at its second sample."""
        lines: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
        told = set[int]()
        for sample in exposition.samples:
            first = lines.setdefault((sample.name, frozenset(sample.labels.items())), sample.line)
            if first != sample.line and first not in told:
                told.add(first)
                said = f"this series of {sample.name!r} is also on line {first}; only one of them would be kept, write one"
                yield Fault(exposition.place(sample.line), said)
