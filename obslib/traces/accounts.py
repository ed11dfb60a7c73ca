"""Where every span is counted, so that none is lost unseen (OWN-04).

One place, because the identity ``started == exported + dropped`` holds only if the tail decision and the
export queue count by the same rules: a span is started once, and ends as exported or as dropped with a reason.
"""

from __future__ import annotations

from typing import Literal, get_args

from obslib.catalog.common import TRACE_DROPPED_SPANS, TRACE_SAMPLING_DECISIONS, TRACE_SPANS, SpanDropReason
from obslib.tally import Tally
from obslib.traces.sampling import KeepReason

__all__ = ["Accounts", "DropDecision"]

DropDecision = Literal["ratio", "disabled", "buffer_full"]


class Accounts:
    """The tally's cells for spans and decisions, bound once. Every method is safe from any thread."""

    def __init__(self, tally: Tally) -> None:
        self._kept = tally.cell(TRACE_SPANS, result="kept")
        self._exported = tally.cell(TRACE_SPANS, result="exported")
        self._dropped = tally.cell(TRACE_SPANS, result="dropped")
        self._reasons = {reason: tally.cell(TRACE_DROPPED_SPANS, reason=reason) for reason in get_args(SpanDropReason)}
        self._kept_for = {
            reason: tally.cell(TRACE_SAMPLING_DECISIONS, decision="kept", reason=reason) for reason in get_args(KeepReason)
        }
        self._dropped_for = {
            reason: tally.cell(TRACE_SAMPLING_DECISIONS, decision="dropped", reason=reason) for reason in get_args(DropDecision)
        }
        self._not_sampled = self._reasons["not_sampled"]
        self._out_of_ratio = self._dropped_for["ratio"]
        self.started = tally.cell(TRACE_SPANS, result="started").add
        """Counts a span that began to be recorded."""

    def kept(self, spans: int) -> None:
        """Count spans handed to the export queue; each is exported or dropped later."""
        self._kept.add(spans)

    def exported(self, spans: int) -> None:
        """Count spans the exporter said it took."""
        self._exported.add(spans)

    def dropped(self, spans: int, reason: SpanDropReason) -> None:
        """Count spans given up."""
        if spans:
            self._dropped.add(spans)
            self._reasons[reason].add(spans)

    def not_sampled(self, spans: int) -> None:
        """Count a local trace that the ratio left out, and its spans."""
        self._dropped.add(spans)
        self._not_sampled.add(spans)
        self._out_of_ratio.add()

    def kept_trace(self, reason: KeepReason) -> None:
        """Count a local trace that is kept."""
        self._kept_for[reason].add()

    def dropped_trace(self, reason: DropDecision) -> None:
        """Count a local trace that is not kept."""
        self._dropped_for[reason].add()
