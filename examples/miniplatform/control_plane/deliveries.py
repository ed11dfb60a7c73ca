"""What each node was handed last, so that a hand-over is traced when it says something new, and to what caused it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from obslib_control_plane.changes import Changes

__all__ = ["Deliveries"]


class Deliveries:
    """Kept in memory only: after a restart each node's next fetch counts as new."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._last: dict[str, tuple[str, int]] = {}

    def delivering(
        self, node_id: str, consumer: str, content_id: str, changes: Mapping[str, tuple[int, str]], *, cursor_event_id: int
    ) -> AbstractContextManager[object]:
        """Around the hand-over of a plan or config; ``changes`` are event id and traceparent of each thing in it."""
        before, seen = self._last.get(node_id, ("", 0))
        self._last[node_id] = (content_id, cursor_event_id)
        if content_id == before:
            return nullcontext()
        causes = [traceparent for event_id, traceparent in sorted(changes.values(), reverse=True) if event_id > seen]
        return self._changes.delivering(consumer, causes=causes, cursor_event_id=cursor_event_id)
