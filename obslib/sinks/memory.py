"""A sink that keeps its lines, for tests and for looking at what a component wrote."""

from __future__ import annotations

__all__ = ["MemorySink"]


class MemorySink:
    """Keeps every line in ``lines``, oldest first, without bound; after ``close`` it refuses."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._is_closed = False

    def offer(self, line: bytes) -> bool:
        """Keep the line."""
        if self._is_closed:
            return False
        self.lines.append(line)
        return True

    def flush(self, timeout_s: float) -> bool:
        """Nothing is ever pending."""
        return True

    def close(self, timeout_s: float) -> None:
        """Keep what is there, take no more."""
        self._is_closed = True
