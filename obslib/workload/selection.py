"""Which lines are asked for. The org is not part of it: that comes from the grant alone (WLG-11)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Selection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Lines of one env; every other part narrows. Times are Unix seconds, ``until`` excluded.

    ``tail_lines`` keeps the newest so many. ``contains`` are bytes that a line must hold; gaps hold none.
    """

    env_id: str
    process_type: str = ""
    instance_id: str = ""
    since: float | None = None
    until: float | None = None
    tail_lines: int = 200
    contains: bytes = b""
