"""The part of one trace that runs in this process: from the first span here to the last child's end.

A room of its own because it is the unit of the tail decision. Its spans share one identity and what is told to others
(flags, ``tracestate``), and are kept or dropped together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from opentelemetry.trace import TraceState

from obslib.traces.sampling import KeepReason
from obslib.traces.traceparent import Parent

if TYPE_CHECKING:
    from obslib.traces.span import LightSpan
    from obslib.traces.tail import Tail

__all__ = ["LocalTrace"]


class LocalTrace:
    """One local trace; written only under the tail's lock once it has begun."""

    # Defaults live on the class, so that beginning a trace writes only what differs.
    remote: Parent | None = None
    started = 0.0
    """When the local root began, in monotonic seconds."""
    root_seconds = 0.0
    """How long the root took, when somebody else than the clock said so."""
    open = 0
    spans: Sequence[LightSpan] = ()
    """Spans that have ended and wait for the decision; a list once there are any."""
    keep_flag = False
    has_error = False
    is_recording = True
    is_root_ended = False
    is_kept: bool | None = None
    """The decision; ``None`` before it."""
    reason: KeepReason | None = None
    anchor_ns = 0
    """Unix time minus monotonic time when the trace was kept, in nanoseconds: what dates its spans."""
    _hex = ""
    _state: TraceState | None = None

    def __init__(self, tail: Tail, trace_id: int, flags: int, tracestate: str, is_in_ratio: bool) -> None:
        self.tail = tail
        self.trace_id = trace_id
        self.flags = flags
        self.tracestate = tracestate
        self.is_in_ratio = is_in_ratio

    @classmethod
    def unrecorded(cls, tail: Tail, parent: Parent) -> LocalTrace:
        """Make a trace to which nothing is added here, so that it is told to others as it came."""
        trace = cls(tail, parent.trace_id, parent.flags, parent.tracestate, False)
        trace.is_recording = False
        return trace

    @property
    def hex_id(self) -> str:
        """The trace id as 32 hex digits."""
        text = self._hex
        if not text:
            text = self._hex = f"{self.trace_id:032x}"
        return text

    @property
    def state(self) -> TraceState:
        """The outgoing ``tracestate`` as OpenTelemetry's object."""
        state = self._state
        if state is None:
            state = self._state = TraceState.from_header([self.tracestate] if self.tracestate else [])
        return state

    @property
    def is_certain(self) -> bool:
        """Whether it is settled already that this trace will be kept."""
        return self.is_kept or (self.is_kept is None and (self.has_error or self.keep_flag or self.is_in_ratio))
