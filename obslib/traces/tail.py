"""The tail decision: ended spans wait here until their local trace is over, then go to the exporter or away.

A room of its own because everything shared between threads is here, under one lock: what is open, what waits, and the
verdicts that latecomers follow. The memory is bounded in spans per trace, spans in all and verdicts; past a
bound something is decided early or dropped, and counted.
"""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obslib.clock import Clock
from obslib.ids import IdSource
from obslib.traces.accounts import Accounts
from obslib.traces.export import ExportQueue
from obslib.traces.local_trace import LocalTrace
from obslib.traces.sampling import RANDOM_MASK, KeepReason, Policy
from obslib.traces.traceparent import Parent, State

if TYPE_CHECKING:
    from obslib.traces.span import LightSpan

__all__ = ["Bounds", "Tail"]

_SAMPLED = 0x01
_RANDOM = 0x02


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait: spans of one undecided trace, spans of all of them, remembered verdicts, spans to export."""

    spans_per_trace: int = 1_024
    spans: int = 16_384
    verdicts: int = 4_096
    queue: int = 8_192


class Tail:
    """Follows each local trace from its first span to its decision. No method raises or blocks on another thread's I/O."""

    def __init__(
        self,
        *,
        policy: Policy,
        bounds: Bounds,
        queue: ExportQueue,
        accounts: Accounts,
        clock: Clock,
        ids: IdSource,
        is_enabled: bool,
    ) -> None:
        self.policy = policy
        self.monotonic = clock.monotonic
        self.span_id = ids.span_id
        self.queue = queue
        self.now = clock.now
        self._bounds = bounds
        self._accounts = accounts
        self._trace_id = ids.trace_id
        self._is_enabled = is_enabled
        self._is_closed = False
        self._started = accounts.started
        self._not_sampled = accounts.not_sampled
        self._is_in_ratio = policy.is_in_ratio
        self._policy_reason = policy.reason
        self._threshold_hex = policy.threshold_hex if policy.success_ratio < 1.0 else ""
        self._plain_state = State().header(self._threshold_hex)
        # Reentrant: a signal handler or a finalizer may end a span while this thread is in here.
        self._lock = threading.RLock()
        self._open = 0
        self._buffered = 0
        self._waiting: dict[int, LocalTrace] = {}
        self._verdicts: dict[int, KeepReason] = {}
        forget = weakref.WeakMethod(self._forget_parent_process)
        os.register_at_fork(after_in_child=lambda: (method := forget()) and method())

    def new_trace(self, parent: Parent | None) -> LocalTrace:
        """Begin a local trace, under a parent elsewhere or with a fresh id."""
        if not self._is_enabled:
            self._accounts.dropped_trace("disabled")
            if parent is not None:
                return LocalTrace.unrecorded(self, parent)
        if parent is not None:
            return self._continue(parent)
        trace_id = self._trace_id()
        if trace_id & RANDOM_MASK >= self.policy.threshold:
            trace = LocalTrace(self, trace_id, _SAMPLED, self._plain_state, True)
        else:
            trace = LocalTrace(self, trace_id, 0, "", False)
        if not self._is_enabled:
            trace.is_recording = False
        return trace

    def opened(self, trace: LocalTrace) -> bool:
        """Count a span of ``trace`` as started; ``False`` when it is not to be recorded."""
        if not trace.is_recording:
            return False
        with self._lock:
            if self._is_closed:
                return False
            self._open += 1
            trace.open += 1
        self._started()
        return True

    def ended(self, span: LightSpan, trace: LocalTrace, now: float) -> None:
        """Take over a span that ended at ``now`` (monotonic seconds)."""
        with self._lock:
            if self._is_closed or span.is_ended:
                return
            span.is_ended = True
            self._open -= 1
            trace.open -= 1
            if span.has_failed:
                trace.has_error = True
            if trace.is_kept is not None:
                self._follow(span, trace)
                return
            if span.is_root:
                trace.is_root_ended = True
            if not trace.is_root_ended:
                self._buffer(span, trace)
            elif (reason := self._reason(trace, now)) is not None:
                self._keep(trace, reason, (span,))
            elif trace.open:
                self._buffer(span, trace)
            else:
                trace.is_kept = False
                self._not_sampled(1 + self._forget(trace) if trace.spans else 1)

    def close(self) -> None:
        """Decide everything that waits on what is known, and count what is still open as unfinished."""
        with self._lock:
            if self._is_closed:
                return
            for trace in list(self._waiting.values()):
                reason = self._reason(trace, self.monotonic())
                if reason is None:
                    trace.is_kept = False
                    self._not_sampled(self._forget(trace))
                else:
                    self._keep(trace, reason, ())
            self._accounts.dropped(self._open, "unfinished")
            self._open = 0
            self._is_closed = True

    def _continue(self, parent: Parent) -> LocalTrace:
        told = State.of(parent.tracestate)
        is_in_ratio = self._is_in_ratio(parent.trace_id, told.randomness)
        flags = parent.flags & _RANDOM | (_SAMPLED if is_in_ratio or told.keep_flag else 0)
        state = told.header(self._threshold_hex if is_in_ratio else "")
        trace = LocalTrace(self, parent.trace_id, flags, state, is_in_ratio)
        trace.remote, trace.keep_flag = parent, told.keep_flag
        return trace

    def _reason(self, trace: LocalTrace, now: float) -> KeepReason | None:
        seconds = trace.root_seconds or now - trace.started
        reason = self._policy_reason(trace.has_error, seconds, trace.keep_flag, trace.is_in_ratio)
        return reason or (self._verdicts.get(trace.trace_id) if self._verdicts else None)

    def _follow(self, span: LightSpan, trace: LocalTrace) -> None:
        """A late span goes where its trace went; an error is kept even when the trace is gone."""
        if trace.is_kept or span.has_failed:
            if not trace.is_kept:
                self._mark_kept(trace, "error")
            self._accounts.kept(1)
            self.queue.offer((span,))
        else:
            self._accounts.dropped(1, "not_sampled")

    def _buffer(self, span: LightSpan, trace: LocalTrace) -> None:
        if len(trace.spans) >= self._bounds.spans_per_trace:
            if not trace.is_certain:
                self._accounts.dropped(1, "buffer_full")
                return
            self._send(trace, ())
        elif self._buffered >= self._bounds.spans:
            self._decide_oldest()
            if trace.is_kept is not None:
                self._follow(span, trace)
                return
        if isinstance(trace.spans, list):
            trace.spans.append(span)
        else:
            trace.spans = [span]
            self._waiting[id(trace)] = trace
        self._buffered += 1

    def _decide_oldest(self) -> None:
        oldest = next(iter(self._waiting.values()))
        reason = self._reason(oldest, self.monotonic())
        if reason is not None:
            self._keep(oldest, reason, ())
            return
        oldest.is_kept = False
        self._accounts.dropped_trace("buffer_full")
        self._accounts.dropped(self._forget(oldest), "buffer_full")

    def _keep(self, trace: LocalTrace, reason: KeepReason, last: tuple[LightSpan, ...]) -> None:
        self._accounts.kept_trace(reason)
        self._mark_kept(trace, reason)
        self._send(trace, last)

    def _mark_kept(self, trace: LocalTrace, reason: KeepReason) -> None:
        trace.is_kept, trace.reason = True, reason
        self._date(trace)
        if reason in ("error", "slow"):
            # The other reasons speak for themselves in every part of the trace.
            self._verdicts[trace.trace_id] = reason
            if len(self._verdicts) > self._bounds.verdicts:
                del self._verdicts[next(iter(self._verdicts))]

    def _send(self, trace: LocalTrace, last: tuple[LightSpan, ...]) -> None:
        self._date(trace)
        spans = (*trace.spans, *last)
        self._forget(trace)
        self._accounts.kept(len(spans))
        self.queue.offer(spans)

    def _date(self, trace: LocalTrace) -> None:
        trace.anchor_ns = trace.anchor_ns or round(self.now() * 1e6) * 1000 - round(self.monotonic() * 1e9)

    def _forget(self, trace: LocalTrace) -> int:
        count = len(trace.spans)
        if count:
            self._buffered -= count
            trace.spans = ()
            del self._waiting[id(trace)]
        return count

    def _forget_parent_process(self) -> None:
        self._lock = threading.RLock()
        self.queue.forget_parent_process()
        waiting = list(self._waiting.values())
        self._accounts.dropped(sum(self._forget(trace) for trace in waiting), "forked")
