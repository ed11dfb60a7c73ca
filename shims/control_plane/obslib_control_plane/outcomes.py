"""What came of something a caller asked for, for counters that keep our faults apart from the caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from obslib import ErrorClass, Observability

__all__ = ["Outcome", "telling"]

Outcome = Literal["success", "rejected", "failure"]

_OURS = frozenset({ErrorClass.TIMEOUT, ErrorClass.UNAVAILABLE, ErrorClass.DEPENDENCY, ErrorClass.INTERNAL})


@contextmanager
def telling(obs: Observability, tell: Callable[[Outcome], None]) -> Iterator[None]:
    """Around one request, its answer included; ``tell`` hears what came of it. What the caller can mend is ``rejected``."""
    try:
        yield
    except Exception as error:
        tell("failure" if obs.classifier.error_class(error) in _OURS else "rejected")
        raise
    tell("success")
