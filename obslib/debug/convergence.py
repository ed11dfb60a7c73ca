"""``platform describe convergence``: how far everything that reads the event log has come (DBG-2-01 to DBG-2-03).

For operators: it speaks of every node, so it takes the platform's own scope and no org.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from obslib.access import Grant, Scope
from obslib.access.resource import forbidden
from obslib.debug.views import Views
from obslib.wire import ComponentRecord, ConsumerRecord, ProjectionRecord, age_seconds

__all__ = ["convergence_description", "describe_convergence"]

_BEHIND = 5_000
"""Events of lag above which a reader counts as behind (platform facts §19)."""

_GRAVITY = ("ok", "behind", "unknown", "silent", "failing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    now: float
    silent_after_s: float

    def state(self, seen_at: str | None, lag: int, error: str) -> str:
        age = age_seconds(seen_at, self.now)
        if age is None:
            return "unknown"
        if age > self.silent_after_s:
            return "silent"
        if error:
            return "failing"
        return "behind" if lag > _BEHIND else "ok"


async def describe_convergence(views: Views, grant: Grant, *, now: float, silent_after_s: float = 60.0) -> dict[str, object]:
    """Gather and describe; needs a platform grant for ``nodes:admin``, raises AccessDenied for any other."""
    if grant.org_id is not None or grant.scope is not Scope.NODES_ADMIN:
        raise forbidden(Scope.NODES_ADMIN)
    return convergence_description(
        await views.projections(), await views.consumers(), await views.components(), now=now, silent_after_s=silent_after_s
    )


def convergence_description(
    projections: Sequence[ProjectionRecord],
    consumers: Sequence[ConsumerRecord],
    components: Sequence[ComponentRecord],
    *,
    now: float,
    silent_after_s: float = 60.0,
) -> dict[str, object]:
    """Projections, consumers and components with lag, age, last error and state; the gravest is the verdict."""
    moment = _Moment(now=now, silent_after_s=silent_after_s)
    projector = next((component for component in components if component.component == "projector"), None)
    lines = {
        "projections": [_projection(view, projector, moment) for view in projections],
        "consumers": [_consumer(consumer, moment) for consumer in consumers],
        "components": [_component(component, moment) for component in components],
    }
    everyone = [line for section in lines.values() for line in section]
    first = max(everyone, key=lambda line: _GRAVITY.index(str(line["state"])), default=None)
    verdict = str(first["state"]) if first else "unknown"
    return {
        "kind": "convergence",
        "verdict": verdict,
        "cause": "" if first is None or verdict == "ok" else f"{first['name']} is {verdict}",
        "evidence": {} if first is None or verdict == "ok" else first,
        **lines,
    }


def _projection(view: ProjectionRecord, projector: ComponentRecord | None, moment: _Moment) -> dict[str, object]:
    error = view.last_error or (projector.report.errors.get(view.projection, "") if projector else "")
    state = moment.state(projector.seen_at if projector else None, view.lag_events, error)
    return {
        "name": f"projection {view.projection}",
        "projection": view.projection,
        "state": "ok" if state in ("silent", "unknown") and not view.lag_events else state,
        "last_applied_event_id": view.last_applied_event_id,
        "newest_event_id": view.newest_event_id,
        "lag_events": view.lag_events,
        "updated_at": view.updated_at,
        "age_seconds": age_seconds(view.updated_at, moment.now),
        "is_critical": view.is_critical,
        "last_error": error,
    }


def _consumer(consumer: ConsumerRecord, moment: _Moment) -> dict[str, object]:
    return {
        "name": " ".join(part for part in (consumer.consumer, consumer.name or consumer.node_id) if part),
        "consumer": consumer.consumer,
        "node_id": consumer.node_id,
        "state": moment.state(consumer.seen_at, consumer.lag_events, consumer.last_error),
        "cursor_event_id": consumer.cursor_event_id,
        "head_event_id": consumer.head_event_id,
        "lag_events": consumer.lag_events,
        "seen_at": consumer.seen_at,
        "age_seconds": age_seconds(consumer.seen_at, moment.now),
        "last_error": consumer.last_error,
        "backoffs": dict(consumer.backoffs),
    }


def _component(component: ComponentRecord, moment: _Moment) -> dict[str, object]:
    report = component.report
    return {
        "name": component.component,
        "component": component.component,
        "state": moment.state(component.seen_at, 0, report.loop_error),
        "seen_at": component.seen_at,
        "age_seconds": age_seconds(component.seen_at, moment.now),
        "last_error": report.loop_error,
        "blocked_groups": [group.model_dump() for group in report.groups],
    }
