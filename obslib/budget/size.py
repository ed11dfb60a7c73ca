"""How large a platform is: what there is of what labels name, and how many processes of each component run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from obslib.catalog import Component, Measure, Plane
from obslib.errors import UsageError

__all__ = ["MOST", "PlatformSize"]

MOST = 1_000_000
"""The largest number of anything; past it the question is a typing error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformSize:
    """The size of a platform. ``None`` means unknown, so that only the labels' own bounds count.

    An agent runs on each node and an edge on each edge node; of any other component one process runs, unless
    ``processes`` says how many. Raises UsageError for a number that is not from 1 to a million.
    """

    nodes: int = 1
    edges: int = 1
    orgs: int | None = None
    envs: int | None = None
    routes: int | None = None
    processes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counted = {**{measure.value: self.of(measure) for measure in Measure}, **self.processes}
        for what, count in counted.items():
            if count is not None and (type(count) is not int or not 1 <= count <= MOST):
                raise UsageError(f"{what} is {count!r}; a platform has a whole number of them, from 1 to {MOST}")

    def of(self, measure: Measure) -> int | None:
        """How many there are of one measure, if that is known."""
        match measure:
            case Measure.NODES:
                return self.nodes
            case Measure.EDGES:
                return self.edges
            case Measure.ORGS:
                return self.orgs
            case Measure.ENVS:
                return self.envs
            case Measure.ROUTES:
                return self.routes

    def without(self, measure: Measure) -> PlatformSize:
        """The same, with nobody knowing how many of ``measure`` there are; nodes and edges are always known."""
        match measure:
            case Measure.ORGS:
                return replace(self, orgs=None)
            case Measure.ENVS:
                return replace(self, envs=None)
            case Measure.ROUTES:
                return replace(self, routes=None)
        return self

    def things(self, measures: Iterable[Measure]) -> int | None:
        """How many there are of all the measures together; None as soon as one is unknown, or for no measure."""
        counts = [self.of(measure) for measure in measures]
        known = [count for count in counts if count is not None]
        return sum(known) if counts and len(known) == len(counts) else None

    def processes_of(self, component: Component) -> int:
        """How many processes of a component run."""
        where = (self.edges if component.plane is Plane.EDGE else self.nodes) if component.has_node else 1
        return self.processes.get(component.name, where)
