"""What a place for log lines must promise, so that logging never waits for it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes lines, each without its newline. Nothing here raises."""

    def offer(self, line: bytes) -> bool:
        """Take one line without waiting; False when it was dropped, which the sink has then counted."""
        ...

    def flush(self, timeout_s: float) -> bool:
        """Wait until every line offered before is written or dropped; False when the time ran out."""
        ...

    def close(self, timeout_s: float) -> None:
        """Flush, then take no more lines; what could not be written in time is dropped and counted."""
        ...
