"""The one door. Every decision passes here between being taken and being granted, which is where it is recorded."""

from __future__ import annotations

from obslib.access.actor import Actor
from obslib.access.decision import decide
from obslib.access.grant import Grant, issue
from obslib.access.resource import Resource
from obslib.access.scopes import Scope

__all__ = ["authorize"]


def authorize(actor: Actor, scope: Scope, org_id: str | None, *, resource: Resource) -> Grant:
    """Let ``actor`` use ``scope`` in ``org_id`` (``None``: the platform itself), or raise AccessDenied.

    ``org_id`` comes from the request's path. Call this before anything is looked up: the refusal for a
    foreign org is word for word that for a missing one (``not_found``).
    """
    decision = decide(actor, scope, org_id, resource)
    return issue(decision)
