"""Who asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from obslib.access.scopes import Scope

__all__ = ["Actor", "ActorType"]


class ActorType(StrEnum):
    """What kind of caller it is; ``system`` is a component acting by itself."""

    USER = "user"
    SERVICE_PRINCIPAL = "service_principal"
    NODE = "node"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An authenticated caller. ``org_id`` is ``None`` for operators and nodes, who belong to no tenant."""

    actor_type: ActorType
    actor_id: str
    org_id: str | None
    scopes: frozenset[Scope]

    @staticmethod
    def of(*, actor_type: str, actor_id: str, org_id: str | None, scopes: Iterable[str]) -> Actor:
        """An actor from a stored token; scopes nobody knows are left out, an unknown type is a ValueError."""
        known = frozenset(Scope(scope) for scope in scopes if scope in _KNOWN)
        return Actor(actor_type=ActorType(actor_type), actor_id=actor_id, org_id=org_id, scopes=known)

    @property
    def is_operator(self) -> bool:
        """Whether this is one of the platform's own people or services. A node is a machine of ours, never an operator."""
        return self.org_id is None and self.actor_type is not ActorType.NODE


_KNOWN = frozenset(Scope)
