"""What a name stands for by everybody's custom, where nothing in the code says it.

An unannotated ``request`` is a request; ``self.obs`` in a file that uses obslib is an Observability. The names of telemetry
objects are believed only in files that import the library they would come from, so that plain Python is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obslib.lint.known import is_obslib
from obslib.lint.value import Kind, Value, thing

if TYPE_CHECKING:
    from obslib.lint.module import Module

__all__ = ["by_custom"]

_REQUESTS = frozenset({"request", "req"})
_OBSERVABILITIES = frozenset({"obs", "observability"})
_LOGS = frozenset({"log", "logger"})


def by_custom(name: str, home: Module) -> Value | None:
    """The value of something called ``name`` in this module; None when custom says nothing."""
    bare = name.lstrip("_")
    if bare in _REQUESTS:
        return thing(Kind.REQUEST)
    tops = {module.partition(".")[0] for module in home.survey.modules}
    uses_obslib = any(is_obslib(top) for top in tops)
    if bare in _OBSERVABILITIES and uses_obslib:
        return thing(Kind.OBSERVABILITY)
    if bare in _LOGS:
        for is_used, kind in (
            (uses_obslib, Kind.LOG),
            ("structlog" in tops, Kind.STRUCTLOG),
            ("logging" in tops, Kind.STDLIB_LOG),
        ):
            if is_used:
                return thing(kind)
    return None
