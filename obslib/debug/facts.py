"""Everything one description reasons over, gathered once, so that the reasoning is pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from obslib.access import Grant, Resource, Scope, not_found
from obslib.debug.views import Views
from obslib.wire import (
    ComponentRecord,
    DeployRecord,
    EnvRecord,
    EventRecord,
    GroupRecord,
    HealthReport,
    InstanceRecord,
    NodeRecord,
    ProjectionRecord,
    RouteRecord,
    age_seconds,
    unix,
)

__all__ = ["Facts", "gather", "has_ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One env and the part of the platform that carries it, at the moment ``now`` (Unix seconds).

    ``silent_after_s``: a reporter not heard for longer is silent. ``patience_s``: a link waited for longer is failing.
    """

    env: EnvRecord
    now: float
    deploy: DeployRecord | None = None
    groups: Sequence[GroupRecord] = ()
    instances: Sequence[InstanceRecord] = ()
    routes: Sequence[RouteRecord] = ()
    nodes: Mapping[str, NodeRecord] = field(default_factory=dict)
    components: Mapping[str, ComponentRecord] = field(default_factory=dict)
    projections: Sequence[ProjectionRecord] = ()
    events: Sequence[EventRecord] = ()
    silent_after_s: float = 60.0
    patience_s: float = 120.0

    @property
    def target(self) -> str:
        """The flags that name this env on the command line, quoted for a shell."""
        env = self.env
        named = {"--org": env.org_name or env.org_id, "--app": env.app_name or env.app_id, "--env": env.name or env.env_id}
        return " ".join(f"{flag} {shlex.quote(value)}" for flag, value in named.items())

    @property
    def edges(self) -> Sequence[NodeRecord]:
        """The edge nodes that are meant to serve, by name."""
        edges = (node for node in self.nodes.values() if node.kind == "edge" and node.state != "disabled")
        return sorted(edges, key=lambda node: node.name)

    def age(self, moment: str | None) -> float | None:
        """Seconds since ``moment``; ``None`` when it is not known."""
        return age_seconds(moment, self.now)

    def is_silent(self, seen_at: str | None) -> bool:
        """Whether a reporter was never heard, or not for ``silent_after_s``."""
        age = self.age(seen_at)
        return age is None or age > self.silent_after_s

    def is_overdue(self, since: str | None) -> bool:
        """Whether something has been waited for since longer than ``patience_s``; not, when nobody knows since when."""
        age = self.age(since)
        return age is not None and age > self.patience_s

    def is_fresh(self, instance: InstanceRecord) -> bool:
        """Whether the instance changed its status so lately that others cannot be expected to have spoken of it yet."""
        age = self.age(instance.status_changed_at)
        return age is not None and age <= self.silent_after_s

    def health(self, instance: InstanceRecord) -> HealthReport | None:
        """The last health report about an instance; ``None`` when its agent sent none."""
        node = self.nodes.get(instance.node_id)
        placed = node.report.instances.get(instance.instance_id) if node and node.report else None
        return placed.health if placed else None

    def last_reason(self, instance: InstanceRecord) -> tuple[str, str]:
        """Reason code and termination class of the instance's last failure, also when it is up again since."""
        if instance.reason_code or instance.termination_class:
            return instance.reason_code, instance.termination_class
        for event in reversed(self.events):
            if event.aggregate_id == instance.instance_id and event.payload.get("reason_code"):
                return str(event.payload["reason_code"]), str(event.payload.get("termination_class") or "")
        return "", ""

    def failures(self, instance: InstanceRecord) -> Sequence[EventRecord]:
        """The instance's present run of failures, oldest first: none is ``patience_s`` before the next, or before now.

        It may be up in between, and may be so now. It goes back as far as the events at hand do.
        """
        run: list[EventRecord] = []
        later = self.now
        for event in reversed(self.events):
            if event.aggregate_id != instance.instance_id or event.payload.get("status") != "failed" or not event.occurred_at:
                continue
            if later - unix(event.occurred_at) > self.patience_s:
                break
            run.append(event)
            later = unix(event.occurred_at)
        return run[::-1]


def has_ended(instance: InstanceRecord) -> bool:
    """Whether nothing of the instance is left: given up, or stopped as desired."""
    return instance.is_final or (instance.desired_state == "stopped" and instance.status in ("", "stopped", "failed"))


async def gather(
    views: Views, grant: Grant, env_id: str, *, now: float, silent_after_s: float = 60.0, patience_s: float = 120.0
) -> Facts:
    """Read what is known about an env, one view after the other, so that ``views`` may hold one snapshot.

    Raises AccessDenied, as for a missing one, when the grant's org has no such env.
    """
    resource = Resource(type="env", id=env_id)
    grant.require(Scope.ENVS_READ, resource=resource)
    env = await views.env(grant, env_id)
    if env is None or env.org_id != grant.org_id:
        raise not_found(resource)
    return Facts(
        env=env,
        now=now,
        deploy=await views.deploy(grant, env_id),
        groups=sorted(await views.groups(grant, env_id), key=lambda group: group.process_type),
        instances=sorted(await views.instances(grant, env_id), key=lambda instance: instance.instance_id),
        routes=sorted(await views.routes(grant, env_id), key=lambda route: route.route_id),
        nodes={node.node_id: node for node in await views.nodes()},
        components={component.component: component for component in await views.components()},
        projections=await views.projections(),
        events=await views.events(grant, env_id, limit=200),
        silent_after_s=silent_after_s,
        patience_s=patience_s,
    )
