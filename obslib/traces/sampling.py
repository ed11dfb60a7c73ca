"""Which traces are kept (TRC-07): errors and slow ones always, successes by a share of trace ids.

A room of its own because two moments use it. When a trace starts, the share decides what is told to others
(the sampled flag and ``ot=th:`` of OpenTelemetry's consistent probability sampling); when it ends, the whole
policy decides what is kept. The share looks only at the trace id, so every process that applies
the same ratio keeps the same traces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["RANDOM_MASK", "KeepReason", "Policy"]

KeepReason = Literal["error", "slow", "keep_flag", "ratio"]

_RANDOM_BITS = 56
RANDOM_MASK = (1 << _RANDOM_BITS) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Keep every error, everything of at least ``slow_s`` seconds, and ``success_ratio`` (0 to 1) of the rest."""

    success_ratio: float
    slow_s: float
    threshold: int = field(init=False)
    """Ids whose low 56 bits are below this are not sampled by ratio."""
    threshold_hex: str = field(init=False)
    """The threshold as ``th`` says it: 14 hex digits without trailing zeros, ``0`` for all."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.success_ratio <= 1.0:
            raise ValueError(f"success_ratio is {self.success_ratio!r}; it is a share from 0 to 1")
        threshold = round((1.0 - self.success_ratio) * (1 << _RANDOM_BITS))
        object.__setattr__(self, "threshold", threshold)
        object.__setattr__(self, "threshold_hex", f"{min(threshold, RANDOM_MASK):014x}".rstrip("0") or "0")

    def is_in_ratio(self, trace_id: int, randomness: int | None = None) -> bool:
        """Whether the share of successes includes this trace; ``randomness`` (56 bits, from ``rv``) replaces the id's own."""
        return (trace_id & RANDOM_MASK if randomness is None else randomness) >= self.threshold

    def reason(self, has_error: bool, seconds: float, keep_flag: bool, is_in_ratio: bool) -> KeepReason | None:
        """Say why a trace is kept, the strongest reason first; ``None`` when it is not."""
        if has_error:
            return "error"
        if seconds >= self.slow_s:
            return "slow"
        if keep_flag:
            return "keep_flag"
        return "ratio" if is_in_ratio else None

    def rate(self, reason: KeepReason) -> float:
        """The share of traces like this one that is kept, to weigh it with."""
        return self.success_ratio if reason == "ratio" else 1.0
