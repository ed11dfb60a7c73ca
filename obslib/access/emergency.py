"""The one way by which an operator reads a tenant's data: for a stated reason, for a short time, on record in both orgs."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.access.scopes import ROLE_SCOPES, Role, Scope
from obslib.errors import EmergencyRefused
from obslib.redaction.invisible import has_invisible

__all__ = ["EMERGENCY_SCOPES", "LONGEST_EMERGENCY_S", "Emergency"]

LONGEST_EMERGENCY_S = 4 * 3_600.0
"""An emergency longer than this is declared again, and so is on record again."""

EMERGENCY_SCOPES = ROLE_SCOPES[Role.READONLY] | {Scope.AUDIT_READ}
"""What can be had in an emergency: reading. Nothing is ever changed in a tenant's name."""

_SHORTEST_REASON, _LONGEST_REASON = 10, 500
_END_OF_DATES = 253_402_300_800.0
_BLANK = "\N{BRAILLE PATTERN BLANK}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """An operator's declaration: why, and until which Unix time; raises EmergencyRefused without a reason that can be read.

    ``declared`` also checks the time; whoever grants access looks with ``is_in_force``.
    """

    reason: str
    expires_at: float

    def __post_init__(self) -> None:
        """Refuse what no trail could tell."""
        if not isinstance(self.reason, str) or not self.reason.isprintable() or has_invisible(self.reason):
            raise EmergencyRefused(
                f"the reason of an emergency access is {str(self.reason)[:40]!r}; write it in characters that can be seen"
            )
        length = len(" ".join(self.reason.replace(_BLANK, " ").split()))
        if not _SHORTEST_REASON <= length <= _LONGEST_REASON:
            raise EmergencyRefused(
                f"the reason of an emergency access has {length} characters; write {_SHORTEST_REASON} to {_LONGEST_REASON},"
                " such as the number of the incident and what is looked for"
            )
        if not isinstance(self.expires_at, int | float) or not 0 < self.expires_at < _END_OF_DATES:
            raise EmergencyRefused(
                f"an emergency access cannot end at {str(self.expires_at)[:40]}; give a Unix time in seconds"
            )

    @staticmethod
    def declared(*, reason: str, expires_at: float, now: float) -> Emergency:
        """The declaration, if it can be accepted; raises EmergencyRefused with what is wrong with it."""
        emergency = Emergency(reason=" ".join(reason.split()), expires_at=expires_at)
        if not emergency.is_in_force(now):
            raise EmergencyRefused(
                f"an emergency access must end within {LONGEST_EMERGENCY_S / 3_600:g} hours from now, and not before now"
            )
        return emergency

    def is_in_force(self, now: float) -> bool:
        """Whether it counts at this Unix time: not once it has ended, nor while it would last longer than any may."""
        return now < self.expires_at <= now + LONGEST_EMERGENCY_S
