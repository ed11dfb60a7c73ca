"""Which scopes an administrator may put into a new token: never more than the administrator may use."""

from __future__ import annotations

from collections.abc import Iterable

from obslib.access.grant import Grant
from obslib.access.resource import forbidden
from obslib.access.scopes import OPERATOR_SCOPES, SWITCHED_OFF, Scope

__all__ = ["delegable"]


def delegable(grant: Grant, wanted: Iterable[Scope]) -> frozenset[Scope]:
    """``wanted``, if the holder of an ``orgs:admin`` grant may hand all of it out for that org.

    An operator may give a tenant any tenant scope, a tenant's admin only what the admin holds; operator
    scopes and those switched off go to nobody. Raises AccessDenied naming the first scope refused.
    """
    grant.require(Scope.ORGS_ADMIN)
    scopes = frozenset(wanted)
    held = frozenset(Scope) if grant.actor.is_operator else grant.actor.scopes
    for scope in sorted(scopes):
        if scope in OPERATOR_SCOPES or scope in SWITCHED_OFF or scope not in held:
            raise forbidden(scope)
    return scopes
