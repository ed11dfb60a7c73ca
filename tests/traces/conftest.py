"""A traced component on fixed time, with an exporter that keeps what it is given."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from obslib.catalog import COMMON, Component, Plane, span_kind
from obslib.catalog.common import (
    TELEMETRY_GUARD_ERRORS,
    TRACE_DROPPED_SPANS,
    TRACE_SAMPLING_DECISIONS,
    TRACE_SPANS,
    OperationName,
    Pending,
)
from obslib.classify import Classifier
from obslib.errors import ErrorClass
from obslib.guard import Guard
from obslib.ids import SystemIds
from obslib.tally import Tally
from obslib.testing.clock import FixedClock, FixedIds
from obslib.traces import BoundSpan, Tracing


@span_kind("web.request", serves=("TRC-01",))
def REQUEST(*, operation: OperationName = "", pending: Pending = 0) -> None:
    """One request."""


@span_kind("web.query", serves=("TRC-05",))
def QUERY(*, operation: OperationName = "") -> None:
    """One query."""


@span_kind("worker.job", serves=("TRC-03",), components=("worker",))
def JOB() -> None:
    """One job."""


CATALOG = COMMON.extend(
    "test",
    components=[Component(name="web", plane=Plane.COMMON), Component(name="worker", plane=Plane.COMMON)],
    signals=[REQUEST, QUERY, JOB],
)


class LaunchError(Exception):
    """A failure the component has registered."""


class Kept(SpanExporter):
    """Takes everything."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See the class."""
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS


class Failing(Kept):
    """Raises, then refuses, then answers nothing, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See the class."""
        self._calls += 1
        if self._calls % 3 == 0:
            raise OSError("collector gone")
        return SpanExportResult.FAILURE if self._calls % 3 == 1 else None  # type: ignore[return-value]


class Stuck(Kept):
    """Does not come back until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.release = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See the class."""
        self.entered.set()
        self.release.wait(30)
        return super().export(spans)


class Masking:
    """A redactor that knows one secret."""

    def value(self, value: object, key: str = "") -> object:
        """``value`` without the secret."""
        if isinstance(value, str):
            return "[redacted:key]" if key == "password" else value.replace("hunter2", "[redacted:typed]")
        return value

    def name(self, name: str) -> str:
        """``name`` without the secret."""
        return name.replace("hunter2", "[redacted:typed]")


@dataclass
class World:
    """One traced process and everything a test looks at."""

    tracing: Tracing
    clock: FixedClock
    tally: Tally
    guard: Guard
    exporter: Any

    @property
    def request(self) -> BoundSpan[...]:
        """The declared span ``web.request``."""
        return self.tracing.span(REQUEST)

    @property
    def query(self) -> BoundSpan[...]:
        """The declared span ``web.query``."""
        return self.tracing.span(QUERY)

    def run(self, error: Exception | None = None, seconds: float = 0.0) -> None:
        """One request with one query in it; the query fails with ``error``."""
        with contextlib.suppress(type(error) if error else LaunchError), self.request():
            self.clock.advance(seconds)
            with self.query():
                if error is not None:
                    raise error

    def spans(self) -> list[ReadableSpan]:
        """Everything exported so far."""
        assert self.tracing.flush(10)
        return list(self.exporter.spans)

    def names(self) -> list[str]:
        """Their names."""
        return [span.name for span in self.spans()]

    def counted(self, family: Any) -> dict[Any, int]:
        """The totals of a family that are not 0, by label values."""
        return {v[0] if len(v) == 1 else v: n for f, v, n in self.tally.totals() if f is family and n}

    def spans_by_result(self) -> dict[str, int]:
        """``trace_spans_total``."""
        return self.counted(TRACE_SPANS)

    def drops(self) -> dict[str, int]:
        """``trace_dropped_spans_total``."""
        return self.counted(TRACE_DROPPED_SPANS)

    def decisions(self) -> dict[tuple[str, str], int]:
        """``trace_sampling_decisions_total``."""
        return self.counted(TRACE_SAMPLING_DECISIONS)

    def guarded(self) -> dict[str, int]:
        """What the guard swallowed, by kind."""
        return self.counted(TELEMETRY_GUARD_ERRORS)

    def unaccounted(self) -> int:
        """Spans that were started and are neither exported nor dropped for a reason; 0 after close."""
        results = self.spans_by_result()
        assert results.get("dropped", 0) == sum(self.drops().values())
        return results.get("started", 0) - results.get("exported", 0) - results.get("dropped", 0)


Build = Callable[..., World]


@pytest.fixture(scope="session")
def build_each() -> Iterator[Build]:
    """``build`` for property tests, which run one test function many times."""
    with builder() as build:
        yield build


@pytest.fixture
def build() -> Iterator[Build]:
    """Make a world; keyword arguments replace those of ``Tracing``."""
    with builder() as build:
        yield build


@contextlib.contextmanager
def builder() -> Iterator[Build]:
    """Make worlds and close them at the end."""
    made: list[Tracing] = []

    def make(*, exporter: Any = ..., random_ids: bool = False, **changes: Any) -> World:
        tally, clock = Tally(), FixedClock()
        guard = Guard(tally)
        kept = Kept() if exporter is ... else exporter
        arguments: Mapping[str, Any] = {
            "catalog": CATALOG,
            "component": "web",
            "constant": {"node_id": "node_1"},
            "clock": clock,
            "ids": SystemIds(clock) if random_ids else FixedIds(),
            "tally": tally,
            "guard": guard,
            "classifier": Classifier({LaunchError: ErrorClass.DEPENDENCY}),
            "redactor": Masking(),
            "success_ratio": 1.0,
            "slow_s": 1.0,
            "enabled": True,
            "exporter": kept,
            "version": "1.2.3",
            **changes,
        }
        tracing = Tracing(**arguments)
        made.append(tracing)
        return World(tracing=tracing, clock=clock, tally=tally, guard=guard, exporter=kept)

    try:
        yield make
    finally:
        for tracing in made:
            tracing.close(0.2)


@pytest.fixture
def world(build: Build) -> World:
    """A component that keeps everything."""
    return build()


@pytest.fixture
def strict(build: Build) -> World:
    """A component that keeps no success: only errors, slow traces and flagged ones."""
    return build(success_ratio=0.0)


@pytest.fixture(scope="session")
def kinds_each() -> SimpleNamespace:
    """``kinds`` for property tests."""
    return shared()


@pytest.fixture
def kinds() -> SimpleNamespace:
    """What tests in this room share: declarations, an error and exporters that misbehave."""
    return shared()


def shared() -> SimpleNamespace:
    """The namespace behind ``kinds``."""
    return SimpleNamespace(
        REQUEST=REQUEST, QUERY=QUERY, JOB=JOB, CATALOG=CATALOG, LaunchError=LaunchError, Failing=Failing, Stuck=Stuck, Kept=Kept
    )
