"""One look at a console: what was found from one place to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obslib.wire import LogGap
from obslib.wire.workload_log import Stream
from obslib.workload.node.lines import Line
from obslib.workload.node.rate import Allowance

__all__ = ["Look", "Place", "Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a console was read: the next byte, and whether it belongs to a line that has been cut already."""

    position: int = 0
    is_skipping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a look begins: the place, what the instance may still write, how many lines there is room for."""

    place: Place
    allowance: Allowance
    room: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found up to ``place``, in the order it was written: first ``gone``, then ``lines``, then ``surplus``.

    ``bytes`` were read for it, and ``tokens`` are left to the instance.
    """

    stream: Stream
    place: Place
    tokens: float
    gone: LogGap | None = None
    lines: Sequence[Line] = ()
    surplus: LogGap | None = None
    bytes: int = 0

    @property
    def line_count(self) -> int:
        """Lines that were read, kept or not."""
        return len(self.lines) + (self.surplus.lines if self.surplus else 0)
