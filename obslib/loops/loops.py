"""All loops and operations of one component, and the watchdog over them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import ParamSpec

from obslib.catalog.catalog import Catalog
from obslib.catalog.families import Gauge
from obslib.catalog.signals import Cursor, Loop, Operation
from obslib.classify import Classifier
from obslib.clock import Clock
from obslib.guard import Guard
from obslib.ids import IdSource
from obslib.loops.backoff import Backoff
from obslib.loops.bound_loop import BoundLoop
from obslib.loops.cursor import CursorPosition
from obslib.loops.instruments import Instruments
from obslib.loops.operation import BoundOperation
from obslib.loops.seams import Families, Record, Spans
from obslib.loops.watchdog import Watchdog

__all__ = ["Loops"]

P = ParamSpec("P")


class Loops:
    """Binds declared loops and operations of one component.

    ``on_new(declaration, loop)`` hears of each loop bound for the first time; the runtime lets health watch it.
    ``chance`` spreads backoffs, a number from 0 up to 1.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        component: str,
        log: Record,
        metrics: Families,
        tracing: Spans,
        classifier: Classifier,
        clock: Clock,
        ids: IdSource,
        guard: Guard,
        on_new: Callable[[Loop, BoundLoop], object] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._catalog = catalog
        self._component = component
        self._parts = Instruments(
            log=log, metrics=metrics, tracing=tracing, classifier=classifier, clock=clock, ids=ids, guard=guard
        )
        self._on_new = on_new
        self._backoff = Backoff(chance)
        self._bound: dict[Loop, BoundLoop] = {}
        self._watchdog = Watchdog(self.check_now, guard=guard)

    def loop(self, declaration: Loop, *, period: float | None = None) -> BoundLoop:
        """The loop of this process, the same object each time; ``period`` in seconds, the newest one given counts.

        Raises UnknownSignal for a loop that the catalog does not declare for the component, and ValueError for a
        period that is no number of seconds, or a negative one.
        """
        found = self._bound.get(declaration) if isinstance(declaration, Loop) else None
        if found is None:
            self._catalog.require(declaration, self._component, kind=Loop)
        if period is not None and not _is_pause(period):
            raise ValueError(f"loop {declaration.name!r} has period {period!r}; it is in seconds, at least 0, or None")
        if found is None:
            found = BoundLoop(declaration, period_s=period, instruments=self._parts, backoff=self._backoff)
            self._bound[declaration] = found
            if declaration.cursor is not None:
                self._export(declaration.cursor, found.cursor)
            if self._on_new is not None:
                self._on_new(declaration, found)
        elif period is not None:
            found.period_s = period
        return found

    def operation(self, declaration: Operation[P]) -> BoundOperation[P]:
        """Bind an operation; raises UnknownSignal when the catalog does not declare it for the component."""
        self._catalog.require(declaration, self._component, kind=Operation)
        return BoundOperation(declaration, self._parts, self._parts.tracing.span(declaration.span))

    def start(self) -> None:
        """Start the watchdog; again in a forked child."""
        self._watchdog.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Ask every loop to stop after its present iteration, and end the watchdog within ``timeout_s``."""
        for bound in list(self._bound.values()):
            bound.stop()
        self._watchdog.stop(timeout_s)

    def check_now(self) -> None:
        """Look at every loop once: what the watchdog does each second, and a test by hand."""
        for bound in list(self._bound.values()):
            with self._parts.guard.quiet("loops"):
                bound.examine()

    def describe(self) -> Mapping[str, Mapping[str, object]]:
        """Every loop by name, for the debug page."""
        return {bound.name: bound.describe() for bound in list(self._bound.values())}

    def _export(self, cursor: Cursor, position: CursorPosition) -> None:
        self._read(cursor, cursor.position, position.known_position)
        self._read(cursor, cursor.lag_events, position.lag_events)
        self._read(cursor, cursor.lag_seconds, position.lag_seconds)

    def _read(self, cursor: Cursor, gauge: Gauge[...], reading: Callable[[], float | None]) -> None:
        consumers = tuple(cursor.consumer for _ in gauge.labels)
        self._parts.metrics[gauge].callback(lambda: {consumers: reading()} if consumers else reading())


def _is_pause(period: object) -> bool:
    return isinstance(period, (int, float)) and math.isfinite(period) and period >= 0
