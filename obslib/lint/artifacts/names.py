"""What a name in a query stands for: the catalog's families as Prometheus stores them, and what rules record from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from obslib.catalog import OVERFLOW, Catalog, Counter, Domain, ExternalMetric, Family, Gauge, Histogram, Label, LabelUse
from obslib.catalog.shapes import refused_shape
from obslib.ids import is_id
from obslib.lint.artifacts.carried import Carried
from obslib.lint.artifacts.exposition import Sample

__all__ = ["Known", "Names", "as_bound", "fits"]

_OF_TARGETS = frozenset({"job", "instance"})
_PARTS = ("_bucket", "_sum", "_count")
_OF_ALERTS = ("ALERTS", "ALERTS_FOR_STATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One name that Prometheus can have series of, and what their labels can be.

    ``values`` has an entry for each closed label, the overflow among its values; ``uses`` for each label that is declared.
    """

    name: str
    carried: Carried
    declaration: Family[...] | ExternalMetric | None = None
    kind: type[Counter[...] | Gauge[...]] | None = None
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    uses: Mapping[str, LabelUse] = field(default_factory=dict)


class Names:
    """Every name that may be asked for: the catalog's, Prometheus' own, and those of recording rules.

    ``recorded`` says for each recorded name what labels its result carries, when it is asked.
    """

    def __init__(self, catalog: Catalog, recorded: Mapping[str, Callable[[Names], Carried]] | None = None) -> None:
        self.catalog = catalog
        self._recorded = recorded or {}
        self._asked: set[str] = set()
        self._ways_out: dict[str, str] = {}
        self._closed: dict[tuple[object, str], frozenset[str]] = {}
        self._known: dict[str, Known] = {name: Known(name=name, carried=Carried.anything()) for name in _OF_ALERTS}
        self._declared: dict[str, Family[...] | ExternalMetric] = {each.name: each for each in catalog.of(ExternalMetric)}
        for family in catalog.of(Family):
            self._declared |= {family.name + part: family for part in (_PARTS if isinstance(family, Histogram) else ("",))}

    def find(self, name: str) -> Known | None:
        """What ``name`` stands for; None when no series can have it."""
        if name not in self._known and name in self._declared:
            self._known[name] = self._of_declared(name, self._declared[name])
        elif name not in self._known and name in self._recorded:
            if name in self._asked:
                return Known(name=name, carried=Carried.anything())
            self._asked.add(name)
            self._known[name] = Known(name=name, carried=self._recorded[name](self))
        return self._known.get(name)

    def carried(self, name: str) -> Carried | None:
        """The labels that series of this name carry; None when there are none."""
        known = self.find(name)
        return known.carried if known is not None else None

    def declared(self, name: str) -> Family[...] | ExternalMetric | None:
        """The declaration behind the name of a sample."""
        return self._declared.get(name)

    def family_name(self, name: str) -> str:
        """The family that a sample of this name belongs to; the name itself when it is of none."""
        declaration = self.declared(name)
        return declaration.name if declaration is not None else name

    def declared_among(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, Known, Family[...] | ExternalMetric]]:
        """Each sample of a declared family, with what is known of its name, and the declaration."""
        for sample in samples:
            known = self.find(sample.name)
            if known is not None and known.declaration is not None:
                yield sample, known, known.declaration

    def exposed(self, known: Known) -> frozenset[str]:
        """The labels that a process itself may write: those of its target are put on by Prometheus."""
        return known.carried.labels - _OF_TARGETS - {"__name__"}

    def way_out(self, name: str) -> str:
        """What to write instead of a name that stands for nothing."""
        if name not in self._ways_out:
            self._ways_out[name] = self._way_out(name)
        return self._ways_out[name]

    def _way_out(self, name: str) -> str:
        if isinstance(self._declared.get(f"{name}_bucket"), Histogram):
            return "it is a histogram; ask for " + ", ".join(f"{name}{part}" for part in _PARTS)
        near = get_close_matches(name, [*self._declared, *self._recorded], n=1, cutoff=0.75)
        return f"did you mean {near[0]!r}?" if near else "declare it in the catalog, or leave it out"

    @property
    def labels(self) -> frozenset[str]:
        """Every label that any series can have."""
        found = (self.carried(name) for name in (*self._declared, *self._recorded))
        return frozenset().union(*(carried.labels for carried in found if carried is not None))

    def closed(self, use: LabelUse, component: str) -> frozenset[str]:
        """The values of a closed label in ``component``."""
        key = (use.label.source or id(use), component)
        if key not in self._closed:
            self._closed[key] = frozenset(self.catalog.values(use, component))
        return self._closed[key]

    def values(self, family: Family[...], use: LabelUse) -> frozenset[str]:
        """The values of a closed label in any component that exports ``family``, and the overflow."""
        components = [name for name in self.catalog.components if self.catalog.exports(family, name)]
        return frozenset().union([OVERFLOW], *(self.closed(use, name) for name in components))

    def _of_declared(self, name: str, declaration: Family[...] | ExternalMetric) -> Known:
        if isinstance(declaration, ExternalMetric):
            return self._of_external(declaration)
        return self._of_family(name, declaration)

    def _of_family(self, name: str, family: Family[...]) -> Known:
        components = [each for name, each in self.catalog.components.items() if self.catalog.exports(family, name)]
        constant = {"component", *(["node_id"] if any(each.has_node for each in components) else [])}
        carried = Carried.of(constant | _OF_TARGETS | set(family.label_names) | {"__name__"})
        values = {use.name: self.values(family, use) for use in family.labels if use.label.domain is Domain.CLOSED}
        if components:
            values["component"] = frozenset(each.name for each in components)
        if isinstance(family, Histogram) and name.endswith("_bucket"):
            values["le"] = frozenset(as_bound(bound) for bound in (*family.buckets, float("inf")))
            carried = carried.plus(["le"])
        kind = Gauge if isinstance(family, Gauge) else Counter
        uses = {use.name: use for use in family.labels}
        return Known(name=name, carried=carried, declaration=family, kind=kind, values=values, uses=uses)

    def _of_external(self, metric: ExternalMetric) -> Known:
        labels = _OF_TARGETS | set(metric.label_names) | {"__name__"}
        kind = Counter if metric.name.endswith("_total") else None
        if metric.is_of_scraper:
            return Known(name=metric.name, carried=Carried.of(labels), declaration=metric, kind=kind)
        values = {"component": frozenset(self.catalog.components)}
        carried = Carried.of(labels | {"component", "node_id"})
        return Known(name=metric.name, carried=carried, declaration=metric, kind=kind, values=values)


def fits(label: Label, value: str) -> bool:
    """Whether an open label may hold ``value``: by its id prefix or its pattern; without either, no unbounded shape."""
    if label.id_prefix:
        return is_id(value, label.id_prefix)
    return re.fullmatch(label.pattern, value) is not None if label.pattern else refused_shape(value) is None


def as_bound(bound: float) -> str:
    """A bucket's upper bound as the exposition writes it: ``0.5``, ``1.0``, ``+Inf``."""
    from prometheus_client.utils import floatToGoString

    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]
