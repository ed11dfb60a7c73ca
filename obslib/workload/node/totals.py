"""What became of every line of this node, as figures that outlive the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from obslib.wire.workload_log import LossReason, Stream
from obslib.workload.node.spool_file import Trouble

__all__ = ["LogTotals"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTotals:
    """Totals since the spool was made. ``dropped_lines`` counts 1 for a gap whose lines nobody could count.

    ``lines`` and ``bytes`` were read from consoles, ``dropped_bytes`` were gone before; ``failed_lines`` were in batches
    that were not acknowledged (since the agent started), ``troubles`` is how often the file failed. ``unaccounted_lines``
    is ``None`` before the first check, and 0 when every line is forwarded, dropped or waiting.
    """

    lines: Mapping[Stream, int] = field(default_factory=dict)
    bytes: int = 0
    truncated_lines: int = 0
    dropped_bytes: int = 0
    forwarded_lines: int = 0
    failed_lines: int = 0
    dropped_lines: Mapping[LossReason, int] = field(default_factory=dict)
    waiting_lines: int = 0
    buffer_bytes: int = 0
    unaccounted_lines: int | None = None
    troubles: Mapping[Trouble, int] = field(default_factory=dict)
