"""What a check says, and who may be asked.

A verdict is the only thing a check can answer with: ``True`` would hide why, ``None`` would hide that
nothing was looked at. ``Progress`` is the seam through which a loop or a heartbeat becomes a check
without health knowing what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = ["Progress", "Status", "Verdict"]


class Status(StrEnum):
    """How a check stands. Only ``ok`` is healthy; what is unknown is not."""

    OK = "ok"
    FAILING = "failing"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer of a check: ``reason`` is a short code to search for, ``detail`` a sentence for a person.

    Both are shown on ``/readyz``, so neither may hold a secret.
    """

    status: Status
    reason: str = ""
    detail: str = ""

    @staticmethod
    def ok(detail: str = "") -> Verdict:
        """It was looked at, and it works."""
        return Verdict(Status.OK, "", detail)

    @staticmethod
    def failing(reason: str, detail: str = "") -> Verdict:
        """It was looked at, and it does not work."""
        return Verdict(Status.FAILING, reason, detail)

    @staticmethod
    def unknown(reason: str, detail: str = "") -> Verdict:
        """It could not be looked at; counts as not healthy."""
        return Verdict(Status.UNKNOWN, reason, detail)

    @staticmethod
    def not_applicable(reason: str, detail: str = "") -> Verdict:
        """There is nothing to look at on this host (a driver without an overlay, say); neither good nor bad."""
        return Verdict(Status.NOT_APPLICABLE, reason, detail)


class Progress(Protocol):
    """Something that knows how it is doing, such as a loop or a heartbeat."""

    def verdict(self) -> Verdict:
        """The present verdict, from memory, without waiting."""
        ...
