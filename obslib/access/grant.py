"""Proof that access was checked, and recorded where it must be.

It cannot be made, copied, changed or stored by anyone but ``authorize`` and ``Auditor``. A grant for an audited scope
exists only together with the record of the access, and ends with it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

from obslib.access.actor import Actor
from obslib.access.decision import Decision
from obslib.access.resource import Resource, forbidden, not_found
from obslib.access.scopes import AUDITED_SCOPES, Scope
from obslib.errors import AuditRequired, Closed

if TYPE_CHECKING:
    from obslib.clock import Clock

__all__ = ["Grant"]


class Lease:
    """How long a recorded access lasts: until it is closed, and in an emergency not past its expiry.

    Time runs from when the lease is made, on a clock that nobody sets back. What has expired stays so.
    """

    __slots__ = ("_clock", "_ends_at", "_expires_at", "_has_expired", "is_closed", "record_id")

    def __init__(self, clock: Clock, *, expires_at: float | None) -> None:
        self.record_id = ""
        self.is_closed = False
        self._clock = clock
        self._expires_at = math.inf if expires_at is None else expires_at
        self._ends_at = clock.monotonic() + self._expires_at - clock.now()
        self._has_expired = False

    @property
    def has_expired(self) -> bool:
        """Whether the emergency is over: its time has passed, or the wall clock has reached its end."""
        if not self._has_expired:
            self._has_expired = self._clock.monotonic() >= self._ends_at or self._clock.now() >= self._expires_at
        return self._has_expired


class Grant:
    """The right to one scope in one org. ``org_id`` is ``None`` for the platform's own resources.

    A reader calls ``require`` with the scope it needs, so that a grant for one thing opens no other, and
    takes the org from the grant, never from a filter. A long reading calls it again for each portion.
    """

    __slots__ = ("_decision", "_lease")
    _decision: Decision
    _lease: Lease | None

    def __new__(cls, *_: object, **__: object) -> Grant:
        """Refuse: raises TypeError."""
        raise TypeError(
            "a Grant cannot be constructed; obslib.access.authorize(actor, scope, org_id, resource=…) returns one, and"
            " Auditor.reading() one for what is audited"
        )

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

    @property
    def record_id(self) -> str:
        """The id of the audit record that lets this access in; empty for a scope that needs none."""
        return self._lease.record_id if self._lease else ""

    def require(self, scope: Scope, *, resource: Resource | None = None) -> str:
        """The org to read from; raises AccessDenied when this grant is for another scope or for no org.

        Raises Closed once the access is over, whose record is then complete; an emergency that has expired is refused
        as ``not_found``.
        """
        self._require_open(resource or self.resource)
        if self.org_id is None:
            raise not_found(resource or self.resource)
        if self.scope is not scope:
            raise forbidden(scope)
        return self.org_id

    def _require_open(self, resource: Resource) -> None:
        if self._lease is None:
            return
        if self._lease.is_closed:
            raise Closed(f"this access is over and its record {self._lease.record_id} is closed; open another reading")
        if self._lease.has_expired:
            raise not_found(resource)

    def __repr__(self) -> str:
        return f"<Grant {self.scope} in {self.org_id or 'the platform'} to {self.actor.actor_id}>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Grant cannot be changed; {name!r} stays what authorize() checked")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Grant cannot be changed; {name!r} stays what authorize() checked")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Grant is neither copied nor stored; authorize again where it is needed")


def issue(decision: Decision, lease: Lease | None = None) -> Grant:
    """Turn an allowing decision into a grant: for ``authorize`` and ``Auditor`` only. Raises the refusal otherwise.

    Without the lease of a written record nothing is issued for an audited scope (AuditRequired).
    """
    if not decision.is_allowed:
        raise decision.refusal()
    if lease is None and (decision.scope in AUDITED_SCOPES or decision.emergency is not None):
        raise AuditRequired(f"a grant for {str(decision.scope)!r} needs the record of the access; only an Auditor issues it")
    grant = object.__new__(Grant)
    object.__setattr__(grant, "_decision", decision)
    object.__setattr__(grant, "_lease", lease)
    return grant
