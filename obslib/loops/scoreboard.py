"""Which families a run is written to.

A loop has two names in the requirements, its own and the common one, and families differ in the labels they
carry. The declaration says which families; this reads each one's labels once and binds what it needs, so
that counting a run is a few calls on bound handles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from obslib.catalog.families import Counter, Family, Histogram
from obslib.catalog.signals import NO_REASON
from obslib.errors import ErrorClass
from obslib.loops.seams import Families

__all__ = ["FAILURE", "SUCCESS", "Scoreboard"]

Write = Callable[[float], object]

SUCCESS = "success"
FAILURE = "failure"


class Scoreboard:
    """Counts runs, durations and failures in every family given.

    A histogram takes the duration of each run, a counter with ``result`` (or no label) each run, a counter with
    ``error_class`` or ``reason`` but no ``result`` each failure; with both, a run without a reason counts as ``none``.
    ``fixed`` labels are filled everywhere they occur.
    """

    def __init__(self, metrics: Families, families: Iterable[Family[...]], **fixed: str) -> None:
        self._bound = {family: metrics[family] for family in families}  # now, so that the first failure is a step from 0
        self._fixed = fixed
        self._each_run: list[Family[...]] = []
        self._failures: list[Family[...]] = []
        self._runs: dict[tuple[str, str], tuple[tuple[Write, bool], ...]] = {}
        for family in self._bound:
            own = set(family.label_names) - set(fixed)
            counts_each_run = isinstance(family, Histogram) or "result" in own or not own
            (self._each_run if counts_each_run else self._failures).append(family)
        self._has_reasons = any("reason" in family.label_names for family in self._each_run)
        self._runs[SUCCESS, ""] = self._bind_runs(SUCCESS, "")

    def run(self, seconds: float, result: str, reason: str = "") -> None:
        """One run of ``seconds`` with ``result``; where a family does not know the result it was a success."""
        key = (result, reason if self._has_reasons else "")
        bound = self._runs.get(key)
        if bound is None:
            bound = self._runs[key] = self._bind_runs(*key)
        for write, is_counter in bound:
            write(1 if is_counter else seconds)

    def failure(self, error_class: ErrorClass, reason: str = "") -> None:
        """One failure: of a run, or of a piece of work inside it."""
        for family in self._failures:
            self._labelled(family, error_class=error_class.value, reason=reason).inc()

    def _bind_runs(self, result: str, reason: str) -> tuple[tuple[Write, bool], ...]:
        bound = []
        for family in self._each_run:
            handle = self._labelled(family, result=_known(family, result), reason=reason or NO_REASON)
            is_counter = isinstance(family, Counter)
            bound.append((handle.inc if is_counter else handle.observe, is_counter))
        return tuple(bound)

    def _labelled(self, family: Family[...], **labels: str) -> Any:
        wanted = {**self._fixed, **labels}
        return self._bound[family].labels(**{name: value for name, value in wanted.items() if name in family.label_names})


def _known(family: Family[...], result: str) -> str:
    values = next((use.values for use in family.labels if use.name == "result"), ())
    return result if not values or result in values else SUCCESS
