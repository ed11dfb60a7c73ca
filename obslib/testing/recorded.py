"""An Observability whose output stays in the process, for tests of instrumented code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from obslib import catalog as declared
from obslib.clock import Clock
from obslib.errors import ErrorClass
from obslib.ids import IdSource
from obslib.runtime import Observability, launch
from obslib.sinks import MemorySink
from obslib.testing.clock import FixedClock, FixedIds

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["NODE_ID", "RETENTION_POLICY", "RecordedObservability", "observability"]

Raised = TypeVar("Raised", bound=BaseException)
RETENTION_POLICY = Path(__file__).with_name("retention.toml")
"""A policy with every key at its documented default."""

NODE_ID = "node_01J00000000000000000000000"


class RecordedObservability(Observability):
    """The real thing, with still time, counted ids, no thread of its own, every trace kept, all readable as values."""

    def begin(self) -> None:
        """Start no thread: a test runs checks with ``health.run_now()`` and the loop watch with ``loops.check_now()``."""

    def lines(self) -> list[dict[str, Any]]:
        """Every log line so far, parsed; raises when one is not strict JSON."""
        sink = self._process.sink
        assert isinstance(sink, MemorySink)
        return [orjson.loads(line) for line in sink.lines]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of one declared event."""
        return [line for line in self.lines() if line.get("event") == name]

    def spans(self) -> list[ReadableSpan]:
        """Every span exported so far, in the order they ended."""
        self.traces.flush(5.0)
        exporter = self._process.exporter
        return list(exporter.get_finished_spans()) if exporter is not None else []  # type: ignore[attr-defined]  # in memory

    def sample(self, family: declared.Family[...] | str, **labels: str) -> float | None:
        """One sample of the exposition, by name and own labels; None when it is absent."""
        from prometheus_client.parser import text_string_to_metric_families

        name = family if isinstance(family, str) else family.name
        lines = self.metrics.exposition("text/plain")[0].decode().split("\n")
        own = "\n".join(line for line in lines if line.startswith((f"{name}{{", f"{name} ")))  # parsing all takes far longer
        for parsed in text_string_to_metric_families(own):
            for sample in parsed.samples:
                if labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None


def observability(
    component: str = "agent",
    *,
    catalog: declared.Catalog | None = None,
    errors: Mapping[type[Raised], ErrorClass] | None = None,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    sink: MemorySink | None = None,
    **settings: object,
) -> RecordedObservability:
    """What ``obslib.start()`` gives, for tests: it touches no process global, opens no port and keeps every trace."""
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    defaults: dict[str, object] = {
        "node_id": NODE_ID, "retention_policy": str(RETENTION_POLICY), "admin_port": -1, "trace_success_ratio": 1.0,
        "log_format": "json", "log_level": "debug",
    }  # fmt: skip
    return launch(
        RecordedObservability, component, catalog=catalog, errors=errors, adopt_process=False, clock=clock or FixedClock(),
        ids=ids or FixedIds(), sink=sink or MemorySink(), exporter=InMemorySpanExporter(), settings={**defaults, **settings},
    )  # fmt: skip
