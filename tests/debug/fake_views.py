"""Views over records held in memory: the rows of any number of orgs, read by the org of the grant."""

from __future__ import annotations

from collections.abc import Sequence

from obslib.access import Grant, Scope
from obslib.debug import Facts
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


class FakeViews:
    """Implements ``obslib.debug.Views`` over the facts of some envs."""

    def __init__(self, *envs: Facts) -> None:
        self._envs = {facts.env.env_id: facts for facts in envs}

    def _of(self, grant: Grant, env_id: str) -> Facts | None:
        facts = self._envs.get(env_id)
        return facts if facts and facts.env.org_id == grant.require(Scope.ENVS_READ) else None

    async def env(self, grant: Grant, env_id: str) -> EnvRecord | None:
        """The env, in the grant's org only."""
        facts = self._of(grant, env_id)
        return facts.env if facts else None

    async def deploy(self, grant: Grant, env_id: str) -> DeployRecord | None:
        """The newest deploy."""
        facts = self._of(grant, env_id)
        return facts.deploy if facts else None

    async def groups(self, grant: Grant, env_id: str) -> Sequence[GroupRecord]:
        """The groups."""
        facts = self._of(grant, env_id)
        return facts.groups if facts else ()

    async def instances(self, grant: Grant, env_id: str) -> Sequence[InstanceRecord]:
        """The instances."""
        facts = self._of(grant, env_id)
        return facts.instances if facts else ()

    async def routes(self, grant: Grant, env_id: str) -> Sequence[RouteRecord]:
        """The routes."""
        facts = self._of(grant, env_id)
        return facts.routes if facts else ()

    async def events(
        self,
        grant: Grant,
        env_id: str,
        *,
        aggregate_ids: Sequence[str] = (),
        event_types: Sequence[str] = (),
        limit: int = 50,
    ) -> Sequence[EventRecord]:
        """The newest events, of these aggregates and types if any are named."""
        facts = self._of(grant, env_id)
        found = [e for e in (facts.events if facts else ()) if not aggregate_ids or e.aggregate_id in aggregate_ids]
        return [e for e in found if not event_types or e.event_type in event_types][-limit:]

    async def nodes(self) -> Sequence[NodeRecord]:
        """The nodes of the first env's facts: all share one platform."""
        return [node for facts in list(self._envs.values())[:1] for node in facts.nodes.values()]

    async def components(self) -> Sequence[ComponentRecord]:
        """The components."""
        return [component for facts in list(self._envs.values())[:1] for component in facts.components.values()]

    async def projections(self) -> Sequence[ProjectionRecord]:
        """The projections."""
        return [view for facts in list(self._envs.values())[:1] for view in facts.projections]

    async def consumers(self) -> Sequence[ConsumerRecord]:
        """One consumer per node."""
        return [
            ConsumerRecord(
                consumer=n.kind, node_id=n.node_id, name=n.name, head_event_id=12, cursor_event_id=12, seen_at=n.seen_at
            )
            for n in await self.nodes()
        ]
