"""The way out: a bounded queue and one background thread between kept spans and the exporter.

A room of its own because an exporter may hang, raise or lie, and none of that may reach the component. Offering never
waits; the thread does the conversion, and whatever the exporter does costs only counters.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from obslib.guard import Guard
from obslib.traces.accounts import Accounts

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from obslib.traces.span import LightSpan

__all__ = ["ExportQueue"]

_BATCH = 512
_LINGER_S = 0.25
_SHUTDOWN_GRACE_S = 0.25


class ExportQueue:
    """At most ``capacity`` kept spans wait for the exporter; a trace that no longer fits is dropped whole.

    ``mute`` runs first on the export thread: an instrumented HTTP client must not make spans of its own exports.
    """

    def __init__(
        self,
        exporter: SpanExporter | None,
        *,
        capacity: int,
        accounts: Accounts,
        guard: Guard,
        mute: Callable[[], None],
    ) -> None:
        self._exporter = exporter
        self._capacity = capacity
        self._accounts = accounts
        self._guard = guard
        self._mute = mute
        self._waiting: deque[LightSpan] = deque()
        self._is_closed = False
        self._flushers = 0
        self._accepted = 0
        self._settled = 0
        self._in_flight = 0
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def offer(self, spans: Sequence[LightSpan]) -> None:
        """Take kept spans of one trace; never waits for the exporter."""
        count = len(spans)
        if self._exporter is None:
            self._accounts.dropped(count, "no_exporter")
            return
        with self._changed:
            if self._is_closed:
                self._accounts.dropped(count, "closed")
            elif len(self._waiting) + count > self._capacity:
                self._accounts.dropped(count, "queue_full")
            else:
                self._waiting.extend(spans)
                self._accepted += count
                if len(self._waiting) == count or len(self._waiting) >= _BATCH:
                    self._changed.notify_all()
                if self._thread is None:
                    self._start()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything offered before this call is exported or dropped; ``False`` when time ran out."""
        with self._changed:
            wanted = self._accepted
            self._flushers += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._settled >= wanted, timeout_s)
            finally:
                self._flushers -= 1

    def close(self, timeout_s: float) -> None:
        """Export what waits, for at most ``timeout_s``; count the rest as dropped and shut the exporter down."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._settled >= self._accepted, timeout_s)
            self._accounts.dropped(len(self._waiting) + self._in_flight, "closed")
            self._waiting.clear()
            self._in_flight = 0
            self._settled = self._accepted
            self._changed.notify_all()
        if self._exporter is not None:
            shutdown = threading.Thread(target=self._shut_down, name="obslib-trace-shutdown", daemon=True)
            shutdown.start()
            shutdown.join(_SHUTDOWN_GRACE_S)

    def forget_parent_process(self) -> None:
        """After fork, in the child: what waited belongs to the parent, which exports it; begin with an empty queue."""
        lost = len(self._waiting) + self._in_flight
        self._changed = threading.Condition()
        self._waiting = deque()
        self._in_flight = self._flushers = 0
        self._settled = self._accepted
        self._thread = None
        self._accounts.dropped(lost, "forked")

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="obslib-trace-export", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # No thread can start now (limit reached, interpreter ending); the next offer tries again.
            self._guard.note("traces", error)
        else:
            self._thread = thread

    def _run(self) -> None:
        self._mute()
        while batch := self._next_batch():
            exported = 0
            try:
                exported = self._export(batch)
            except BaseException as error:
                self._guard.note("traces", error)
            with self._changed:
                if self._in_flight:
                    # Zero when close() gave this batch up: it is counted already.
                    self._accounts.exported(exported)
                    self._accounts.dropped(len(batch) - exported, "export_failed")
                    self._settled += len(batch)
                    self._in_flight = 0
                self._changed.notify_all()

    def _next_batch(self) -> list[LightSpan]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            self._changed.wait_for(self._is_due, _LINGER_S)
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            self._in_flight = len(batch)
            return batch

    def _is_due(self) -> bool:
        return len(self._waiting) >= _BATCH or self._is_closed or self._flushers > 0

    def _export(self, batch: Sequence[LightSpan]) -> int:
        from opentelemetry.sdk.trace.export import SpanExportResult

        assert self._exporter is not None, "offer() takes nothing without an exporter"
        spans = self._converted(batch)
        if not spans:
            return 0
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            return len(spans)
        self._guard.note("traces", f"exporter answered {result}")
        return 0

    def _converted(self, batch: Sequence[LightSpan]) -> list[ReadableSpan]:
        from obslib.traces.conversion import readable

        spans = []
        for span in batch:
            try:
                spans.append(readable(span))
            except Exception as error:
                self._guard.note("traces", error)
        return spans

    def _shut_down(self) -> None:
        with self._guard.quiet("traces"):
            if self._exporter is not None:
                self._exporter.shutdown()
