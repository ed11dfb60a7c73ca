"""``platform why env``: one answer to "why does it not converge, or not serve" (DBG-1-10).

The links from the wish to a served request, the first that is broken with its evidence, and what was changed before
it broke: by whom, from what to what. Where nothing is broken it says so, and shows on what that rests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

from obslib.access import Grant
from obslib.debug.chain import Finding, Link
from obslib.debug.changes import Change, changes
from obslib.debug.facts import Facts, gather
from obslib.debug.verdict import Judgement, VerdictName, judge
from obslib.debug.views import Views
from obslib.wire import EventRecord, unix

__all__ = ["explanation", "why_env"]

_SHOWN = 5
_READ = 100

_WISHES = ("deploy.created", "env.desired_release_set", "env.scale_set")
_ROUTES = ("route.created", "route.updated", "route.deleted")
_PARTS = ("secret_bundle.version_set", "volume_attachment.created", "volume_attachment.deleted")
_CAN_BREAK: Mapping[Link, tuple[str, ...]] = MappingProxyType(
    {
        Link.DESIRED: (*_WISHES, *_ROUTES, *_PARTS),
        Link.ALLOCATED: (*_WISHES, *_PARTS),
        Link.BOOTED: (*_WISHES, *_PARTS),
        Link.READY: (*_WISHES, *_PARTS),
        Link.ROUTED: (*_ROUTES, "deploy.created", "env.desired_release_set"),
        Link.APPLIED: (*_ROUTES, *_WISHES),
        Link.REACHABLE: (*_WISHES, *_ROUTES),
        Link.HEALTHY: (*_WISHES, *_PARTS),
    }
)
"""The events that can break a link; an env's other events are what follows from them."""

_HISTORY = ("env.created", *sorted({event_type for types in _CAN_BREAK.values() for event_type in types}))
"""What is read: also that the env began, so that its first wishes are known to be the first."""


async def why_env(
    views: Views, grant: Grant, env_id: str, *, now: float, silent_after_s: float = 60.0, patience_s: float = 120.0
) -> dict[str, object]:
    """Gather and explain; needs ``envs:read``. Raises AccessDenied, as for a missing one, for a foreign env."""
    facts = await gather(views, grant, env_id, now=now, silent_after_s=silent_after_s, patience_s=patience_s)
    return explanation(facts, await views.events(grant, env_id, event_types=_HISTORY, limit=_READ))


def explanation(facts: Facts, history: Sequence[EventRecord]) -> dict[str, object]:
    """The whole answer: JSON-able, fields are only ever added. ``history`` are the env's changes, oldest first."""
    env = facts.env
    judgement, _ = judge(facts)
    broken = judgement.broken
    return {
        "kind": "why",
        "id": env.env_id,
        "name": env.name,
        "app_id": env.app_id,
        "app_name": env.app_name,
        "org_id": env.org_id,
        "org_name": env.org_name,
        "verdict": str(judgement.verdict),
        "is_healthy": judgement.verdict is VerdictName.CONVERGED,
        "answer": _answer(judgement),
        "reason_code": broken.reason_code if broken else "",
        "first_broken": {**broken.as_dict(), "age_seconds": facts.age(broken.since)} if broken else None,
        "serving": judgement.serving,
        "wanted": judgement.wanted,
        "links": [finding.as_dict() for finding in judgement.links],
        "changed_before": [_line(facts, change, broken) for change in _suspects(history, broken)] if broken else [],
        "next_command": judgement.advice.command,
        "next_actor": judgement.advice.actor,
        "runbook": judgement.advice.runbook,
    }


def _answer(judgement: Judgement) -> str:
    known = "are known to serve" if judgement.verdict is VerdictName.UNKNOWN else "serve"
    counted = f"{judgement.serving} of {judgement.wanted} {known}"
    if judgement.broken is None:
        return f"{judgement.note}; {counted}" if judgement.wanted else judgement.note
    return f"{judgement.broken.cause}; {counted}"


def _suspects(history: Sequence[EventRecord], broken: Finding) -> list[Change]:
    """The newest changes that can have broken the link, newest first; none from after it broke, where that is known."""
    found = [
        change
        for change in changes(history)
        if change.event_type in _CAN_BREAK[broken.link]
        and (broken.since is None or change.at is None or change.at <= broken.since)
    ]
    return found[: -_SHOWN - 1 : -1]


def _line(facts: Facts, change: Change, broken: Finding) -> dict[str, object]:
    told = asdict(change)
    before_s = unix(broken.since) - unix(change.at) if broken.since and change.at else None
    return {
        **{key: value for key, value in told.items() if key not in ("app_id", "env_id")},
        "age_seconds": facts.age(change.at),
        "seconds_before": None if before_s is None else round(before_s, 3),
    }
