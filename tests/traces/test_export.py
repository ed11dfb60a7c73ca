"""A stuck, raising or refusing exporter costs only counters, and deadlines hold."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from obslib.traces import Bounds
from obslib.traces.export import ExportQueue


def test_a_stuck_exporter_costs_only_a_counter(build: Any, kinds: Any) -> None:
    """While the exporter hangs, spans beyond the queue are dropped and counted, and nothing blocks."""
    exporter = kinds.Stuck()
    world = build(exporter=exporter, bounds=Bounds(queue=10))
    world.run()
    assert not world.tracing.flush(0.01)
    assert exporter.entered.wait(10)
    for _ in range(20):
        world.run()
    assert world.drops() == {"queue_full": 30}
    exporter.release.set()
    assert len(world.spans()) == 12
    assert world.unaccounted() == 0


def test_flush_and_close_keep_their_deadlines_with_a_stuck_exporter(build: Any, kinds: Any) -> None:
    """``flush(t)`` and ``close(t)`` return within t + 0.5 s; what was given up is counted once, even if it arrives later."""
    of_others = set(threading.enumerate())
    exporter = kinds.Stuck()
    world = build(exporter=exporter)
    world.run()
    begun = time.monotonic()
    assert not world.tracing.flush(0.05)
    world.tracing.close(0.05)
    assert time.monotonic() - begun < 1.1
    assert world.drops() == {"closed": 2}
    exporter.release.set()
    for thread in set(threading.enumerate()) - of_others:
        thread.join(10)
    assert world.unaccounted() == 0
    assert world.spans_by_result() == {"started": 2, "kept": 2, "dropped": 2}


def test_a_failing_exporter_costs_only_counters(build: Any, kinds: Any) -> None:
    """Exceptions, refusals and senseless answers count as export failures, and the thread goes on."""
    world = build(exporter=kinds.Failing())
    for _ in range(6):
        world.run()
        assert world.tracing.flush(10)
    assert world.drops() == {"export_failed": 12}
    assert world.guarded() == {"traces": 6}
    assert world.unaccounted() == 0


def test_a_span_that_cannot_be_converted_does_not_take_others_with_it(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One poisoned span of a batch is dropped, counted and noted; the rest is exported."""
    from obslib.traces import conversion

    genuine = conversion._status

    def poisoned(span: Any) -> Any:
        if span.name == "web.query":
            raise RuntimeError("no")
        return genuine(span)

    monkeypatch.setattr(conversion, "_status", poisoned)
    world.run()
    assert world.names() == ["web.request"]
    assert world.drops() == {"export_failed": 1}
    assert world.unaccounted() == 0


def test_close_exports_what_waits_and_shuts_the_exporter_down(build: Any, kinds: Any) -> None:
    """After close everything kept has arrived, the exporter is shut down, and later spans have ids only."""
    exporter = kinds.Kept()
    closed = []
    exporter.shutdown = lambda: closed.append(True)
    world = build(exporter=exporter)
    world.run()
    world.tracing.close(10)
    world.tracing.close(10)
    with world.request() as span:
        assert span.ids == (f"{2:032x}", f"{3:016x}")
    assert ([s.name for s in exporter.spans], closed) == (["web.query", "web.request"], [True])
    assert world.spans_by_result() == {"started": 2, "kept": 2, "exported": 2}


def test_without_an_exporter_kept_spans_are_counted(build: Any) -> None:
    """No exporter, no thread: decisions are counted and the spans dropped for that reason."""
    world = build(exporter=None)
    before = set(threading.enumerate())
    world.run()
    assert (world.drops(), world.unaccounted()) == ({"no_exporter": 2}, 0)
    assert set(threading.enumerate()) <= before
    assert world.tracing.flush(0)


def test_mutant_that_blocks_on_the_exporter_is_caught(build: Any, kinds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that exports in the caller's thread is seen to block it."""
    exporter = kinds.Stuck()
    genuine = ExportQueue.offer

    def blocking(self: Any, spans: Any) -> None:
        genuine(self, spans)
        self.flush(0.6)

    monkeypatch.setattr(ExportQueue, "offer", blocking)
    world = build(exporter=exporter)
    begun = time.monotonic()
    world.run()
    assert time.monotonic() - begun > 0.5
    exporter.release.set()


def test_the_export_thread_makes_no_spans_of_its_own(build: Any, kinds: Any) -> None:
    """An instrumented HTTP client inside the exporter starts unrecorded spans, so an export never causes another."""

    class Instrumented(kinds.Kept):  # type: ignore[misc,name-defined]
        def export(self, spans: Any) -> Any:
            with tracer.start_as_current_span("POST") as span:
                assert not span.is_recording()
            assert world.tracing.current_ids() == ("", "")
            assert world.tracing.traceparent() == ""
            return super().export(spans)

    world = build(exporter=Instrumented())
    tracer = world.tracing.provider.get_tracer("http")
    world.run()
    assert world.names() == ["web.query", "web.request"]
    assert world.spans_by_result() == {"started": 2, "kept": 2, "exported": 2}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_exports_its_own_spans_only(build: Any, kinds: Any) -> None:
    """After fork the child drops, for a reason, what waits in its copy, and exports what it makes itself."""
    exporter = kinds.Stuck()
    world = build(exporter=exporter)
    world.run()
    assert not world.tracing.flush(0.01)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        report = b"raised"
        try:
            exporter.release = threading.Event()
            exporter.release.set()
            world.run()
            names = world.names()
            world.tracing.close(5)
            report = repr((names, world.drops(), world.unaccounted())).encode()
        finally:
            os.write(write, report)
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as reports:
        assert reports.read().decode() == repr((["web.query", "web.request"], {"forked": 2}, 0))
    exporter.release.set()
    assert world.names() == ["web.query", "web.request"]
    assert world.drops() == {}
