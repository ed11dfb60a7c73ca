"""One answer for an env: whether it converges, and if not, the first thing to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from obslib.debug.advice import Advice, advise
from obslib.debug.booting import booted, healthy, ready
from obslib.debug.chain import Finding, Link, State, first_broken, worst
from obslib.debug.facts import Facts, has_ended
from obslib.debug.placing import allocated, desired, left_over, subjects
from obslib.debug.routing import applied, bound_routes, dangling, reachable, routed
from obslib.wire import GroupRecord, InstanceRecord

__all__ = ["Judgement", "VerdictName", "judge", "judge_group", "judge_instance", "judge_route"]


class VerdictName(StrEnum):
    """How an env, a route or an instance stands."""

    NOTHING_DESIRED = "nothing_desired"
    CONVERGED = "converged"
    CONVERGING = "converging"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with the links behind it. ``serving`` and ``wanted`` count instances."""

    verdict: VerdictName
    broken: Finding | None
    links: Sequence[Finding]
    advice: Advice
    serving: int = 0
    wanted: int = 0
    note: str = ""

    def as_dict(self) -> dict[str, object]:
        """The ``convergence`` section of a description."""
        broken = self.broken
        return {
            "verdict": str(self.verdict),
            "first_failing_link": str(broken.link) if broken else None,
            "cause": broken.cause if broken else self.note,
            "reason_code": broken.reason_code if broken else "",
            "subject": broken.subject if broken else "",
            "evidence": dict(broken.evidence) if broken else {},
            "since": broken.since if broken else None,
            "next_command": self.advice.command,
            "next_actor": self.advice.actor,
            "runbook": self.advice.runbook,
            "serving": self.serving,
            "wanted": self.wanted,
            "links": [finding.as_dict() for finding in self.links],
        }


def judge(facts: Facts) -> tuple[Judgement, Mapping[str, Judgement]]:
    """The env's judgement and that of each process type."""
    groups = {group.process_type: judge_group(facts, group) for group in facts.groups}
    serving, wanted = sum(g.serving for g in groups.values()), sum(g.wanted for g in groups.values())
    strays = list(dangling(facts))
    if not facts.groups and not strays:
        note = "nothing is desired of this env yet"
        advice = Advice(command=f"platform deploy MANIFEST {facts.target}")
        return Judgement(verdict=VerdictName.NOTHING_DESIRED, broken=None, links=(), advice=advice, note=note), groups
    links = [_summary(link, [f for g in groups.values() for f in g.links] + strays) for link in Link]
    broken = first_broken(links)
    leaving = [i for i in facts.instances if i.desired_state != "running" and not has_ended(i)]
    remains = left_over(facts, leaving)
    if remains is not None and (broken is None or (broken.state is State.WAITING and remains.evidence["silent_nodes"])):
        links = [remains if finding.link is remains.link else finding for finding in links]
        broken = first_broken(links)
    is_any_down = any(group.wanted and not group.serving for group in groups.values())
    verdict = _verdict(broken, is_serving=bool(serving) and not is_any_down, is_leaving=bool(leaving))
    return (
        Judgement(
            verdict=verdict,
            broken=broken,
            links=links,
            advice=advise(facts, broken),
            serving=serving,
            wanted=wanted,
            note="everything desired is running and served",
        ),
        groups,
    )


def judge_group(facts: Facts, group: GroupRecord) -> Judgement:
    """One process type: each link judged over its instances and routes."""
    if group.replicas == 0:
        idle = Finding(link=Link.DESIRED, state=State.OK, cause=f"{group.process_type} is scaled to zero")
        return Judgement(verdict=VerdictName.CONVERGED, broken=None, links=(idle,), advice=advise(facts, None), note=idle.cause)
    instances = subjects(facts, group)
    up = [instance for instance in instances if instance.status == "ready" and not has_ended(instance)]
    routes = bound_routes(facts, group)
    links = [
        desired(facts, group),
        allocated(facts, group),
        _over(Link.BOOTED, instances, [booted(facts, instance) for instance in instances]),
        _over(Link.READY, instances, [ready(facts, instance) for instance in instances]),
        routed(facts, group),
        _over(Link.APPLIED, routes, [applied(facts, route, up) for route in routes]),
        _over(Link.REACHABLE, routes, [reachable(facts, route, up) for route in routes]),
        _over(Link.HEALTHY, up, [healthy(facts, instance) for instance in up]),
    ]
    broken = first_broken(links)
    serving = _serving(facts, group)
    return Judgement(
        verdict=_verdict(broken, is_serving=serving > 0, is_leaving=False),
        broken=broken,
        links=links,
        advice=advise(facts, broken),
        serving=serving,
        wanted=group.replicas,
        note=f"{serving} of {group.replicas} serve",
    )


def judge_instance(facts: Facts, instance: InstanceRecord) -> Judgement:
    """One instance, from its placement to its health; routes are the route's own affair."""
    allocation = Finding(link=Link.ALLOCATED, state=State.OK, cause=f"on {instance.node_id}", subject=instance.instance_id)
    links = [allocation]
    if instance.desired_state == "running":
        links += [booted(facts, instance), ready(facts, instance)]
        if instance.status == "ready":
            links.append(healthy(facts, instance))
    broken = first_broken(links)
    because = f" ({instance.desired_reason})" if instance.desired_reason else ""
    ended = f": {instance.reason_code}" if instance.reason_code else ""
    verdict = _verdict(broken, is_serving=False, is_leaving=instance.desired_state != "running")
    if instance.desired_state != "running" and has_ended(instance):
        verdict = VerdictName.ENDED
    return Judgement(
        verdict=verdict,
        broken=broken,
        links=links,
        advice=advise(facts, broken),
        serving=int(broken is None and instance.status == "ready"),
        wanted=int(instance.desired_state == "running"),
        note=f"desired {instance.desired_state}{because}, {instance.status or 'allocated'}{ended}",
    )


def judge_route(facts: Facts, route_id: str) -> Judgement:
    """One route: the links of its group as far as they concern it."""
    route = next(route for route in facts.routes if route.route_id == route_id)
    stray = [finding for finding in dangling(facts) if finding.subject == route_id]
    group = next((group for group in facts.groups if group.process_type == route.process_type), None)
    if group is None:
        return Judgement(
            verdict=VerdictName.FAILING, broken=stray[0], links=stray, advice=advise(facts, stray[0]), note=stray[0].cause
        )
    up = [instance for instance in subjects(facts, group) if instance.status == "ready" and not has_ended(instance)]
    of_group = judge_group(facts, group)
    links = [finding for finding in of_group.links if finding.link not in (Link.APPLIED, Link.REACHABLE)]
    links += [applied(facts, route, up), reachable(facts, route, up)]
    links.sort(key=lambda finding: list(Link).index(finding.link))
    broken = first_broken(links)
    return Judgement(
        verdict=_verdict(broken, is_serving=of_group.serving > 0, is_leaving=False),
        broken=broken,
        links=links,
        advice=advise(facts, broken),
        serving=of_group.serving,
        wanted=group.replicas,
        note=f"{of_group.serving} of {group.replicas} backends serve",
    )


def _over(link: Link, subjects: Sequence[object], findings: Sequence[Finding]) -> Finding:
    """The worst finding over several subjects, with how many there are of each state."""
    nothing = Finding(link=link, state=State.NOT_APPLICABLE, cause="nothing to judge yet")
    found = worst(findings, nothing)
    if found.state is State.OK and len(subjects) > 1:
        return Finding(link=link, state=State.OK, cause=f"{len(subjects)} of {len(subjects)}")
    return found


def _summary(link: Link, findings: Sequence[Finding]) -> Finding:
    nothing = Finding(link=link, state=State.NOT_APPLICABLE, cause="nothing to judge yet")
    return worst([finding for finding in findings if finding.link is link], nothing)


def _verdict(broken: Finding | None, *, is_serving: bool, is_leaving: bool) -> VerdictName:
    if broken is None:
        return VerdictName.CONVERGING if is_leaving else VerdictName.CONVERGED
    if broken.state is State.WAITING:
        return VerdictName.CONVERGING
    if broken.state is State.UNKNOWN:
        return VerdictName.UNKNOWN
    return VerdictName.DEGRADED if is_serving else VerdictName.FAILING


def _serving(facts: Facts, group: GroupRecord) -> int:
    """Instances of the group, of whatever release, that are up and, if there are routes, reached by an edge."""
    up = {
        instance.instance_id
        for instance in facts.instances
        if instance.process_type == group.process_type and instance.status == "ready" and not has_ended(instance)
        and (node := facts.nodes.get(instance.node_id)) is not None and not facts.is_silent(node.seen_at)
    }  # fmt: skip
    routes = bound_routes(facts, group)
    if not routes:
        return len(up) if routed(facts, group).state is State.NOT_APPLICABLE else 0
    reached = {
        backend.instance_id
        for edge in facts.edges
        if edge.edge and not facts.is_silent(edge.seen_at)
        for route in routes
        if (known := edge.edge.routes.get(route.route_id)) is not None and not known.problem
        for backend in known.backends
        if backend.state == "reachable" and not backend.gated
    }
    return len(up & reached)
