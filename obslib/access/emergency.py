"""The one way by which an operator reads a tenant's data: for a stated reason, for a short time, on record in both orgs."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.access.scopes import ROLE_SCOPES, Role, Scope
from obslib.errors import EmergencyRefused

__all__ = ["EMERGENCY_SCOPES", "LONGEST_EMERGENCY_S", "Emergency"]

LONGEST_EMERGENCY_S = 4 * 3_600.0
"""An emergency longer than this is declared again, and so is on record again."""

EMERGENCY_SCOPES = ROLE_SCOPES[Role.READONLY] | {Scope.AUDIT_READ}
"""What can be had in an emergency: reading. Nothing is ever changed in a tenant's name."""

_SHORTEST_REASON, _LONGEST_REASON = 10, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """An operator's declaration: why, and until which Unix time. Check it with ``declared``."""

    reason: str
    expires_at: float

    @staticmethod
    def declared(*, reason: str, expires_at: float, now: float) -> Emergency:
        """The declaration, if it can be accepted; raises EmergencyRefused with what is wrong with it."""
        said = " ".join(reason.split())
        if not _SHORTEST_REASON <= len(said) <= _LONGEST_REASON:
            raise EmergencyRefused(
                f"the reason of an emergency access has {len(said)} characters; write {_SHORTEST_REASON} to {_LONGEST_REASON},"
                " such as the number of the incident and what is looked for"
            )
        if not now < expires_at <= now + LONGEST_EMERGENCY_S:
            raise EmergencyRefused(
                f"an emergency access must end within {LONGEST_EMERGENCY_S / 3_600:g} hours from now, and not before now"
            )
        return Emergency(reason=said, expires_at=expires_at)
