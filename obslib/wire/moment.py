"""Points in time as text: RFC 3339, UTC, microseconds, ``Z`` (platform facts §20)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator

__all__ = ["Moment", "age_seconds", "rfc3339", "unix"]


def rfc3339(at: float | datetime) -> str:
    """``2026-01-31T09:30:00.000000Z``, from Unix seconds or a datetime; one without a zone is taken as UTC."""
    if not isinstance(at, datetime):
        at = datetime.fromtimestamp(at, UTC)
    elif at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def unix(moment: str) -> float:
    """Unix seconds of an RFC 3339 time; raises ValueError when it is not one."""
    at = datetime.fromisoformat(moment)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def age_seconds(moment: str | None, now: float) -> float | None:
    """How long ago ``moment`` was, never negative (clocks differ); ``None`` when it is not known."""
    return None if moment is None else round(max(0.0, now - unix(moment)), 3)


def _moment(value: object) -> object:
    try:
        if isinstance(value, datetime) or (isinstance(value, int | float) and not isinstance(value, bool)):
            return rfc3339(value)
        return rfc3339(datetime.fromisoformat(value)) if isinstance(value, str) else value
    except (OverflowError, OSError):
        raise ValueError(f"{value!r} is not a time between the years 1 and 9999") from None


Moment = Annotated[str, BeforeValidator(_moment)]
"""RFC 3339 text in a record; a datetime or Unix seconds are accepted and written that way."""
