"""The linter's own codes: what it says about files it cannot look at, and about comments that silence it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Own"]


class Own(StrEnum):
    """Findings that no rule makes. The first four tell that a file was not looked at, so nothing can silence them."""

    SYNTAX_ERROR = "OBS901"
    UNREADABLE = "OBS902"
    NOT_PYTHON = "OBS903"
    LINTER_FAILED = "OBS904"
    UNUSED = "OBS911"
    UNKNOWN_RULE = "OBS912"
    EXPIRED = "OBS913"
    NO_REASON = "OBS914"
    MALFORMED = "OBS915"

    @property
    def is_blindness(self) -> bool:
        """Whether it says that a file was not looked at."""
        return self < Own.UNUSED
