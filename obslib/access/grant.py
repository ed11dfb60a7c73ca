"""Proof that access was checked. It cannot be made, copied, changed or stored by anyone but ``authorize``."""

from __future__ import annotations

from typing import Any, NoReturn

from obslib.access.actor import Actor
from obslib.access.decision import Decision
from obslib.access.resource import Resource, forbidden, not_found
from obslib.access.scopes import Scope

__all__ = ["Grant"]


class Grant:
    """The right to one scope in one org. ``org_id`` is ``None`` for the platform's own resources.

    A reader calls ``require`` with the scope it needs, so that a grant for one thing opens no other, and
    takes the org from the grant, never from a filter.
    """

    __slots__ = ("_decision",)
    _decision: Decision

    def __new__(cls, *_: object, **__: object) -> Grant:
        """Refuse: raises TypeError."""
        raise TypeError("a Grant cannot be constructed; obslib.access.authorize(actor, scope, org_id, resource=…) returns one")

    def __init_subclass__(cls, **_: object) -> NoReturn:
        raise TypeError(f"{cls.__name__!r} cannot extend Grant; what is granted is decided by authorize() alone")

    @property
    def actor(self) -> Actor:
        """Who was let in."""
        return self._decision.actor

    @property
    def scope(self) -> Scope:
        """The one scope that was checked."""
        return self._decision.scope

    @property
    def org_id(self) -> str | None:
        """The org whose data may be read; ``None`` for the platform."""
        return self._decision.org_id

    @property
    def resource(self) -> Resource:
        """What was asked for when it was checked."""
        return self._decision.resource

    def require(self, scope: Scope, *, resource: Resource | None = None) -> str:
        """The org to read from; raises AccessDenied when this grant is for another scope or for no org."""
        if self.org_id is None:
            raise not_found(resource or self.resource)
        if self.scope is not scope:
            raise forbidden(scope)
        return self.org_id

    def __repr__(self) -> str:
        return f"<Grant {self.scope} in {self.org_id or 'the platform'} to {self.actor.actor_id}>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Grant cannot be changed; {name!r} stays what authorize() checked")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Grant cannot be changed; {name!r} stays what authorize() checked")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Grant is neither copied nor stored; authorize again where it is needed")


def issue(decision: Decision) -> Grant:
    """Turn an allowing decision into a grant: for ``authorize`` only. Raises the refusal otherwise."""
    if not decision.is_allowed:
        raise decision.refusal()
    grant = object.__new__(Grant)
    object.__setattr__(grant, "_decision", decision)
    return grant
