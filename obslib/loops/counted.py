"""Whole numbers as components hand them over, and where it is noted that one was none.

What is said to an iteration is telemetry: a wrong value is left out and counted, never raised into the work.
"""

from __future__ import annotations

import operator
from typing import Any

from obslib.guard import Guard

__all__ = ["whole"]


def whole(value: Any, guard: Guard | None, what: str) -> int | None:
    """``value`` as an int, or None for anything that is no whole number; ``what`` names it to the guard."""
    try:
        return operator.index(value)
    except Exception:
        if guard is not None:
            guard.note("loops", f"{what} takes a whole number, not {type(value).__name__}")
        return None
