"""The backends of one route, taken in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miniplatform.edge.backends import Backend
from miniplatform.wire import EdgeRoute

__all__ = ["RoutePool"]


class RoutePool:
    """A route of the applied config and its backends; the turn goes on where it stood when a config is applied."""

    def __init__(self, route: EdgeRoute, backends: Sequence[Backend], *, turn: int = 0) -> None:
        self.route = route
        self.backends = tuple(backends)
        self.turn = turn

    def candidates(self) -> Iterator[Backend]:
        """Each eligible backend once, beginning with the one whose turn it is; eligibility is asked at each step."""
        begin, self.turn = self.turn, self.turn + 1
        eligible = [backend for backend in self.backends if not backend.gate]
        for offset in range(len(eligible)):
            backend = eligible[(begin + offset) % len(eligible)]
            if not backend.gate:
                yield backend
