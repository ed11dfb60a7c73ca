"""Which lines are asked for. The org is not part of it: that comes from the grant alone (WLG-11)."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.errors import SelectionError

__all__ = ["Selection", "require_time", "require_whole"]

_LARGEST = 2**63 - 1
_YEAR_1, _YEAR_10000 = -62_135_596_800, 253_402_300_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Lines of one env; every other part narrows. Times are Unix seconds, ``until`` excluded.

    ``tail_lines`` keeps the newest so many. ``contains`` are bytes that a line must hold; gaps hold none.
    Raises SelectionError for a number of lines or a time that is none.
    """

    env_id: str
    process_type: str = ""
    instance_id: str = ""
    since: float | None = None
    until: float | None = None
    tail_lines: int = 200
    contains: bytes = b""

    def __post_init__(self) -> None:
        require_time("since", self.since)
        require_time("until", self.until)
        require_whole("tail_lines", self.tail_lines, least=0)


def require_whole(name: str, value: object, *, least: int) -> None:
    """Raise SelectionError unless ``value`` is a whole number from ``least`` to what a store can count to."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _LARGEST:
        raise SelectionError(f"{name} is {_shown(value)}; it must be a whole number from {least} to {_LARGEST}")


def require_time(name: str, value: object) -> None:
    """Raise SelectionError unless ``value`` is None or a time of the calendar in Unix seconds."""
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not _YEAR_1 <= value < _YEAR_10000:
        raise SelectionError(f"{name} is {_shown(value)}; it must be a time in Unix seconds, between the years 1 and 9999")


def _shown(value: object) -> str:
    return "a number of more than 64 bits" if isinstance(value, int) and abs(value) > _LARGEST else repr(value)[:80]
