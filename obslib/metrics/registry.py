"""Every series of one process.

A registry binds declarations to typed families, admits label values to their domains and exposes the result. It
belongs to one component; what other rooms counted in the tally appears here under its declared name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ParamSpec, cast, overload

from prometheus_client import GCCollector, Metric, PlatformCollector, ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from obslib.catalog import Catalog, Counter, Family, Gauge, Histogram
from obslib.clock import Clock
from obslib.errors import UnknownSignal
from obslib.guard import Guard
from obslib.metrics.cells import Redacts
from obslib.metrics.exposition import ForeignCollector, OwnCollector, Scrapes, as_metric
from obslib.metrics.families import AnyFamily, CounterFamily, GaugeFamily, HistogramFamily
from obslib.metrics.latch import Latch
from obslib.metrics.offenders import Offender
from obslib.metrics.reader import Reader
from obslib.metrics.sources import Figures, Key, Mirror, Source
from obslib.metrics.wiring import Wiring
from obslib.tally import Tally

__all__ = ["Registry"]

P = ParamSpec("P")


class Registry:
    """Binds the metric families that ``catalog`` declares for ``component``.

    ``constant`` labels (``node_id`` on a node) and ``component`` go on every sample. ``redactor`` keeps secrets out of
    label values, ``clock`` dates exemplars; both may be left out. Raises UnknownSignal for an unknown component.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        component: str,
        constant: Mapping[str, str],
        tally: Tally,
        guard: Guard,
        redactor: Redacts | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._wiring = Wiring(
            catalog=catalog,
            component=catalog.component(component).name,
            constant={"component": component, **constant},
            tally=tally,
            guard=guard,
            redactor=redactor,
            clock=clock,
        )
        self._families: dict[Family[...], AnyFamily] = {}
        self._tallied: dict[Counter[...], Mirror] = {}
        self._collecting = Latch()
        self._reader = Reader()
        self._own = OwnCollector(self._collect)
        self._foreign = ForeignCollector(self._wiring)
        self._include_process()
        self._scrapes = Scrapes(self._own, self._foreign)
        for family in catalog.of(Counter, component):
            if any(row.startswith("OWN-") for row in family.serves):
                self._bind(family)

    @overload
    def __getitem__(self, declaration: Counter[P]) -> CounterFamily[P]: ...
    @overload
    def __getitem__(self, declaration: Gauge[P]) -> GaugeFamily[P]: ...
    @overload
    def __getitem__(self, declaration: Histogram[P]) -> HistogramFamily[P]: ...
    def __getitem__(self, declaration: Family[Any]) -> AnyFamily:
        """The bound family of ``declaration``; raises UnknownSignal when this component does not have it."""
        return self._bind(declaration)

    @property
    def collector(self) -> Collector:
        """The families of this registry, for a prometheus-client registry that should serve them."""
        return self._own

    def include(self, collector: Collector) -> None:
        """Export the families of another library's collector with our constant labels.

        Each must be declared as an ``ExternalMetric``; one that is not is left out and counted by the guard.
        """
        self._foreign.include(collector)

    def adjoin(self, other: Registry) -> None:
        """Expose the families of ``other``, another component in this process, together with ours."""
        self._scrapes.adjoin(other.collector)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything this process exports, in the format ``accept`` prefers, and its content type.

        Text 0.0.4 unless OpenMetrics 1.0.0 is preferred. Scrapes at the same time are rendered once. A callback or
        mirror that hangs is left out after a second.
        """
        return self._scrapes.render(accept)

    def forget(self, label: str, value: str) -> int:
        """Drop every series of an entity that has gone and free its places; returns how many there were."""
        return sum(family.forget(label, value) for family in list(self._families.values()))

    def offenders(self) -> list[Offender]:
        """The label values that overflow most, for the debug endpoint."""
        with self._wiring.latch.lock:
            return self._wiring.offenders.worst()

    def _bind(self, declaration: Family[...]) -> AnyFamily:
        found = self._families.get(declaration) if isinstance(declaration, Family) else None
        if found is None:
            self._wiring.catalog.require(declaration, self._wiring.component, kind=Family)
            with self._wiring.latch.lock:
                found = self._families.get(declaration) or self._make(declaration)
                self._families[declaration] = found
        return found

    def _make(self, declaration: Family[...]) -> AnyFamily:
        match declaration:
            case Counter():
                return CounterFamily(declaration, self._wiring)
            case Gauge():
                return GaugeFamily(declaration, self._wiring)
            case Histogram():
                return HistogramFamily(declaration, self._wiring)
        raise UnknownSignal(f"{declaration!r} is no metric family; use a counter, a gauge or a histogram")

    def _include_process(self) -> None:
        apart = CollectorRegistry(auto_describe=False)
        self._foreign.include(ProcessCollector(registry=None))
        self._foreign.include(PlatformCollector(registry=None))
        GCCollector(registry=apart)
        self._foreign.include(apart)

    def _collect(self) -> Iterator[Metric]:
        with self._collecting.lock:
            read: dict[Source, Figures] = {}
            families = list(self._families.values())
            with self._wiring.guard.quiet("metrics"):
                read = self._reader.read(source for family in families for source in family.sources())
            for family in families:
                with self._wiring.guard.quiet("metrics"):
                    family.refresh(read)
            with self._wiring.guard.quiet("metrics"):
                self._take_over_tally()
            metrics = [as_metric(family, self._wiring.constant) for family in list(self._families.values())]
        return iter([metric for metric in metrics if metric.samples])

    def _take_over_tally(self) -> None:
        totals: dict[Counter[...], dict[Key, float]] = {}
        for family, values, total in self._wiring.tally.totals():
            totals.setdefault(family, {})[values] = total
        for family, read in totals.items():
            mirror = self._tallied.get(family)
            if mirror is None:
                mirror = self._tallied[family] = Mirror()
                if not self._is_declared(family):
                    self._wiring.guard.note("metrics", f"{family.name} is counted but not declared for this component")
            if self._is_declared(family):
                cast("CounterFamily[...]", self._bind(family)).grow(mirror.growth(read))

    def _is_declared(self, family: Counter[...]) -> bool:
        catalog = self._wiring.catalog
        return family in catalog.signals and catalog.exports(family, self._wiring.component)
