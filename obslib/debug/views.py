"""What a control plane has to answer for the debug workflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from obslib.access import Grant
from obslib.wire import (
    ComponentRecord,
    ConsumerRecord,
    DeployRecord,
    EnvRecord,
    EventRecord,
    GroupRecord,
    InstanceRecord,
    NodeRecord,
    ProjectionRecord,
    RouteRecord,
)

__all__ = ["Views"]


class Views(Protocol):
    """Reads of the materialized views.

    A tenant's data is read with a grant, whose org is part of every query (``WHERE org_id = grant.org_id``):
    what belongs to another org is ``None`` or absent. The platform's own state is read without one; the
    descriptions show a tenant only the part of it that concerns the env.
    """

    async def env(self, grant: Grant, env_id: str) -> EnvRecord | None:
        """The env with the names of its app and org."""
        ...

    async def deploy(self, grant: Grant, env_id: str) -> DeployRecord | None:
        """The newest deploy of the env."""
        ...

    async def groups(self, grant: Grant, env_id: str) -> Sequence[GroupRecord]:
        """Every process type with a desired release or a scale."""
        ...

    async def instances(self, grant: Grant, env_id: str) -> Sequence[InstanceRecord]:
        """Every instance that has not ended, and lately ended ones: at least the newest 20 of each process type."""
        ...

    async def routes(self, grant: Grant, env_id: str) -> Sequence[RouteRecord]:
        """Every route of the env."""
        ...

    async def events(
        self,
        grant: Grant,
        env_id: str,
        *,
        aggregate_ids: Sequence[str] = (),
        event_types: Sequence[str] = (),
        limit: int = 50,
    ) -> Sequence[EventRecord]:
        """The newest ``limit`` events of the env, oldest first; only of these aggregates and types, where any are named."""
        ...

    async def nodes(self) -> Sequence[NodeRecord]:
        """Every node with its last heartbeat."""
        ...

    async def components(self) -> Sequence[ComponentRecord]:
        """The last pass of the projector and of the scheduler, as far as there was one."""
        ...

    async def projections(self) -> Sequence[ProjectionRecord]:
        """Every projection with its checkpoint and the newest event it would consume."""
        ...

    async def consumers(self) -> Sequence[ConsumerRecord]:
        """The scheduler, every agent and every edge with its cursor."""
        ...
