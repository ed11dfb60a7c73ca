"""Whether an actor may, from what the actor holds and what was named. Pure, and before any look-up.

| actor | own org | another org | the platform (no org) |
|---|---|---|---|
| member or service principal | by scope, else 403 | 404 | 403 |
| operator | has none | platform scopes, and reading in a declared emergency; else 404 | by platform scope, else 403 |
| node | has none | 404 | 403 |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from obslib.access.actor import Actor
from obslib.access.emergency import EMERGENCY_SCOPES, Emergency
from obslib.access.resource import Resource, forbidden, not_found
from obslib.access.scopes import OPERATOR_SCOPES, PLATFORM_SCOPES, SWITCHED_OFF, Scope
from obslib.errors import AccessDenied

__all__ = ["Decision", "Reason", "Refusal", "decide"]

Reason = Literal["scope_held", "platform_scope", "emergency", "scope_missing", "foreign_org", "operator_only", "switched_off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided and why; ``reason`` is for the record, never for the caller."""

    actor: Actor
    scope: Scope
    org_id: str | None
    resource: Resource
    reason: Reason
    emergency: Emergency | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether a grant follows."""
        return self.reason in ("scope_held", "platform_scope", "emergency")

    def refusal(self) -> AccessDenied:
        """What the caller is told: a scope missing where the caller belongs is named, anything else does not exist."""
        return not_found(self.resource) if self.reason == "foreign_org" else forbidden(self.scope)


class Refusal(AccessDenied):
    """A refusal that is not on record yet: hand its ``decision`` to ``Auditor.refused`` where refusals are answered."""

    def __init__(self, decision: Decision) -> None:
        told = decision.refusal()
        super().__init__(str(told), error_class=told.error_class)
        self.decision = decision


def decide(
    actor: Actor, scope: Scope, org_id: str | None, resource: Resource, *, emergency: Emergency | None = None
) -> Decision:
    """Judge one request for ``scope`` in ``org_id``: ``None`` means the platform itself, empty an org that is not there.

    An ``emergency`` counts for an operator only, and only where nothing else lets the operator in.
    """
    reason = _reason(actor, scope, org_id)
    if emergency is not None and reason == "foreign_org" and org_id and _may_in_emergency(actor, scope):
        return Decision(actor=actor, scope=scope, org_id=org_id, resource=resource, reason="emergency", emergency=emergency)
    return Decision(actor=actor, scope=scope, org_id=org_id, resource=resource, reason=reason)


def _may_in_emergency(actor: Actor, scope: Scope) -> bool:
    return actor.is_operator and scope in EMERGENCY_SCOPES and scope in actor.scopes


def _reason(actor: Actor, scope: Scope, org_id: str | None) -> Reason:
    if actor.is_operator:
        return _for_operator(actor, scope, org_id)
    if org_id is None:
        return "operator_only"
    if not org_id or actor.org_id != org_id:
        return "foreign_org"
    if scope in SWITCHED_OFF:
        return "switched_off"
    if scope in OPERATOR_SCOPES:
        return "operator_only"
    return "scope_held" if scope in actor.scopes else "scope_missing"


def _for_operator(actor: Actor, scope: Scope, org_id: str | None) -> Reason:
    if org_id == "":
        return "foreign_org"
    if scope in PLATFORM_SCOPES and scope in actor.scopes:
        return "platform_scope"
    return "scope_missing" if org_id is None else "foreign_org"
