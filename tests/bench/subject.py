"""The catalog and the Observability that every row measures: validation and redaction on, as shipped."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from obslib.catalog import COMMON, Component, Field, Label, Plane, counter, histogram, span_kind
from obslib.clock import SystemClock
from obslib.ids import SystemIds
from obslib.sinks import MemorySink
from obslib.testing import RecordedObservability, observability

__all__ = ["BUCKETS", "REQUESTS", "SECONDS", "WORK", "subject"]

BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHOD = Label.closed("method", "GET", "POST")
CODE = Label.closed("code", "200", "404", "500")
NAME = Field(name="name", help="Name of the work.")


@counter("bench_requests_total", serves=("BENCH",))
def REQUESTS(*, method: Annotated[Literal["GET", "POST"], METHOD], code: Annotated[Literal["200", "404", "500"], CODE]) -> None:
    """Requests of the benchmark."""


@histogram("bench_duration_seconds", serves=("BENCH",), buckets=BUCKETS)
def SECONDS(*, method: Annotated[Literal["GET", "POST"], METHOD]) -> None:
    """Durations of the benchmark."""


@span_kind("bench.work", serves=("BENCH",))
def WORK(*, name: Annotated[str, NAME]) -> None:
    """A span of the benchmark."""


CATALOG = COMMON.extend(
    "bench", components=(Component(name="bench", plane=Plane.COMMON),), signals=(REQUESTS, SECONDS, WORK), fields=(NAME,)
)


class DeviceSink(MemorySink):
    """Where lines go in the benchmark: one write to /dev/null each, like the peer's."""

    def __init__(self) -> None:
        super().__init__()
        self._fd = os.open(os.devnull, os.O_WRONLY)

    def offer(self, line: bytes) -> bool:
        """Write the line."""
        os.write(self._fd, line + b"\n")
        return True


def subject(**settings: object) -> RecordedObservability:
    """A fresh Observability with the machine's own clock and ids, writing to a device."""
    clock = SystemClock()
    return observability(
        "bench", catalog=CATALOG, clock=clock, ids=SystemIds(clock), sink=DeviceSink(), **{"log_level": "info", **settings}
    )
