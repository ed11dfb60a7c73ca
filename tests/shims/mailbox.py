"""A small actor with a mailbox as the platform has them: the newest wish replaces an older one, a full box drops its oldest."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from obslib_agent import ActorKind, Actors

__all__ = ["CAPACITY", "Mailbox"]

CAPACITY = 3


class Mailbox:
    """Takes ``send …`` and ``bad`` as messages, and handles the oldest on ``handle``; the same ``send`` twice is coalesced."""

    def __init__(self, actors: Actors, kind: ActorKind) -> None:
        self.waiting: deque[str] = deque()
        self.sent = 0
        self._actors = actors
        self._kind = kind

    def step(self, message: str) -> None:
        """One message, or one handled."""
        if message == "handle":
            self._handle()
            return
        self.sent += 1
        if message in self.waiting:
            self.waiting.remove(message)
            self._actors.coalesced(self._kind)
        if len(self.waiting) == CAPACITY:
            self.waiting.popleft()
            self._actors.dropped(self._kind)
        self.waiting.append(message)

    def _handle(self) -> None:
        if self.waiting:
            message = self.waiting.popleft()
            with suppress(ValueError), self._actors.handling(self._kind):
                if message == "bad":
                    raise ValueError(message)
