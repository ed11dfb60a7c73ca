"""Ready, Reconciling, Degraded: a verdict in the three conditions every description carries (platform facts §20)."""

from __future__ import annotations

from obslib.debug.chain import State
from obslib.debug.facts import Facts
from obslib.debug.verdict import Judgement, VerdictName

__all__ = ["conditions", "last_transition"]


def conditions(judgement: Judgement, last_transition: str | None) -> list[dict[str, object]]:
    """The three conditions, each ``True``, ``False`` or ``Unknown`` with a reason and a sentence."""
    verdict, broken = judgement.verdict, judgement.broken
    is_unknown = verdict is VerdictName.UNKNOWN
    is_failing = broken is not None and broken.state is State.FAILING
    all_serve = judgement.wanted > 0 and judgement.serving >= judgement.wanted
    ready = "True" if verdict is VerdictName.CONVERGED or (all_serve and not is_failing and not is_unknown) else "False"
    statuses = {
        "Ready": "Unknown" if is_unknown else ready,
        "Reconciling": "True" if verdict is VerdictName.CONVERGING else "False",
        "Degraded": "Unknown" if is_unknown else str(is_failing),
    }
    reason = broken.reason_code if broken else str(verdict)
    message = broken.cause if broken else judgement.note
    return [
        {"type": kind, "status": status, "reason": reason, "message": message, "last_transition": last_transition}
        for kind, status in statuses.items()
    ]


def last_transition(facts: Facts) -> str | None:
    """When anything about the env last changed, as far as the views tell."""
    moments = [i.status_changed_at for i in facts.instances] + [i.desired_changed_at for i in facts.instances]
    if facts.deploy is not None:
        moments += [facts.deploy.changed_at, facts.deploy.created_at]
    return max((moment for moment in moments if moment), default=None)
