"""Loops over a real registry and real spans, a log that keeps what it is told, and time that holds still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from obslib import context
from obslib.catalog import Family, LogEvent
from obslib.catalog.platform import PLATFORM
from obslib.classify import Classifier
from obslib.errors import ErrorClass
from obslib.guard import Guard
from obslib.loops import Loops
from obslib.metrics import Registry
from obslib.tally import Tally
from obslib.testing import FixedClock, FixedIds
from obslib.traces import Tracing


class LaunchError(Exception):
    """A component's own exception, with a reason code."""

    def __init__(self, message: str, reason: str = "image_pull_failed") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass
class KeptLog:
    """Keeps every declared line as a dict, with what was ambient when it was written."""

    tracing: Tracing
    lines: list[dict[str, Any]] = field(default_factory=list)

    def event(self, declaration: LogEvent[...], /, **fields: Any) -> None:
        """Keep one line."""
        ambient = context.current()
        line = {"event": declaration.name, "request_id": ambient.request_id, **ambient.fields, **fields}
        self.lines.append({**line, "trace_id": self.tracing.current_ids()[0]})

    def failure(self, declaration: LogEvent[...], error: BaseException, /, **fields: Any) -> None:
        """Keep one line about ``error``."""
        self.event(declaration, error=error, **fields)


@dataclass
class Rig:
    """The loops of one component and everything they write to."""

    loops: Loops
    clock: FixedClock
    log: KeptLog
    registry: Registry
    tracing: Tracing
    guard: Guard
    exporter: InMemorySpanExporter

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line written so far."""
        return self.log.lines

    def samples(self, family: Family[...], suffix: str = "") -> dict[tuple[str, ...], float]:
        """The family's samples that are not 0, by label values."""
        return {
            tuple(sample.labels[name] for name in family.label_names): sample.value
            for metric in self.registry.collector.collect()
            for sample in metric.samples
            if sample.name == family.name + suffix and sample.value
        }

    def spans(self) -> list[tuple[str, bool]]:
        """Finished spans by name, and whether they failed."""
        self.tracing.flush(5.0)
        return [(span.name, not span.status.is_ok) for span in self.exporter.get_finished_spans()]


@pytest.fixture
def rig_of() -> Iterator[Any]:
    """Build a rig for a component of the platform."""
    rigs: list[Rig] = []

    def build(component: str = "agent", **options: Any) -> Rig:
        clock, ids, tally, exporter = FixedClock(), FixedIds(), Tally(), InMemorySpanExporter()
        guard, classifier = Guard(tally), Classifier({LaunchError: ErrorClass.DEPENDENCY})
        registry = Registry(catalog=PLATFORM, component=component, constant={}, tally=tally, guard=guard)
        tracing = Tracing(
            catalog=PLATFORM, component=component, constant={}, clock=clock, ids=ids, tally=tally, guard=guard,
            classifier=classifier, redactor=None, success_ratio=1.0, slow_s=1.0, enabled=True, exporter=exporter,
        )  # fmt: skip
        log = KeptLog(tracing)
        loops = Loops(
            catalog=PLATFORM, component=component, log=log, metrics=registry, tracing=tracing, classifier=classifier,
            clock=clock, ids=ids, guard=guard, chance=lambda: 0.0, **options,
        )  # fmt: skip
        rigs.append(Rig(loops, clock, log, registry, tracing, guard, exporter))
        return rigs[-1]

    yield build
    for rig in rigs:
        assert rig.guard.last == {}
        rig.tracing.close(1.0)


@pytest.fixture
def rig(rig_of: Any) -> Rig:
    """Loops of an agent."""
    built: Rig = rig_of()
    return built


@pytest.fixture
def launch_error() -> type[LaunchError]:
    """A component's own exception; of class dependency."""
    return LaunchError
