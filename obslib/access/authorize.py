"""The door for what leaves no record of its own: it opens nothing that must be audited, see ``Auditor.reading``."""

from __future__ import annotations

from obslib.access.actor import Actor
from obslib.access.decision import Refusal, decide
from obslib.access.grant import Grant, issue
from obslib.access.resource import Resource
from obslib.access.scopes import AUDITED_SCOPES, Scope
from obslib.errors import AuditRequired

__all__ = ["authorize"]


def authorize(actor: Actor, scope: Scope, org_id: str | None, *, resource: Resource) -> Grant:
    """Let ``actor`` use ``scope`` in ``org_id`` (``None``: the platform itself), or raise Refusal (an AccessDenied).

    ``org_id`` comes from the request's path. Call this before anything is looked up: the refusal for a
    foreign org is word for word that for a missing one (``not_found``). Raises AuditRequired for a scope that may be
    used only on record, whoever asks.
    """
    if scope in AUDITED_SCOPES:
        raise AuditRequired(
            f"{str(scope)!r} is used only on record; take the grant from Auditor.reading(actor, scope, org_id, …)"
        )
    decision = decide(actor, scope, org_id, resource)
    if not decision.is_allowed:
        raise Refusal(decision)
    return issue(decision)
