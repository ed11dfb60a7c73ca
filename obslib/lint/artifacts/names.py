"""What a name in a query stands for: the catalog's families as Prometheus stores them, and what rules record from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from obslib.catalog import OVERFLOW, Catalog, Counter, Domain, ExternalMetric, Family, Gauge, Histogram, Label, LabelUse
from obslib.catalog.shapes import refused_shape
from obslib.ids import is_id
from obslib.lint.artifacts.carried import Carried

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
    kind: type[Counter[...] | Gauge[...] | Histogram[...]] | None = None
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
        self._known: dict[str, Known] = {name: Known(name=name, carried=Carried.anything()) for name in _OF_ALERTS}
        for family in catalog.of(Family):
            self._known |= {known.name: known for known in self._of_family(family)}
        for metric in catalog.of(ExternalMetric):
            self._known[metric.name] = self._of_external(metric)

    def find(self, name: str) -> Known | None:
        """What ``name`` stands for; None when no series can have it."""
        if name not in self._recorded or name in self._known:
            return self._known.get(name)
        if name in self._asked:
            return Known(name=name, carried=Carried.anything())
        self._asked.add(name)
        self._known[name] = Known(name=name, carried=self._recorded[name](self))
        return self._known[name]

    def carried(self, name: str) -> Carried | None:
        """The labels that series of this name carry; None when there are none."""
        known = self.find(name)
        return known.carried if known is not None else None

    def declared(self, name: str) -> Family[...] | ExternalMetric | None:
        """The declaration behind the name of a sample."""
        known = self._known.get(name)
        return known.declaration if known is not None else None

    def exposed(self, known: Known) -> frozenset[str]:
        """The labels that a process itself may write: those of its target are put on by Prometheus."""
        return known.carried.labels - _OF_TARGETS - {"__name__"}

    def way_out(self, name: str) -> str:
        """What to write instead of a name that stands for nothing."""
        if isinstance(self._family(name), Histogram):
            return "it is a histogram; ask for " + ", ".join(f"{name}{part}" for part in _PARTS)
        near = get_close_matches(name, [*self._known, *self._recorded], n=1, cutoff=0.75)
        return f"did you mean {near[0]!r}?" if near else "declare it in the catalog, or leave it out"

    @property
    def labels(self) -> frozenset[str]:
        """Every label that any series can have."""
        return frozenset().union(*(known.carried.labels for known in self._known.values()))

    @property
    def all(self) -> Iterable[str]:
        """Every name there is."""
        return [*self._known, *self._recorded]

    def values(self, family: Family[...], use: LabelUse) -> frozenset[str]:
        """The closed values of a label in any component that exports ``family``, and the overflow; empty for an open one."""
        if use.label.domain is not Domain.CLOSED:
            return frozenset()
        components = [name for name in self.catalog.components if self.catalog.exports(family, name)]
        found = {value for name in components for value in self.catalog.values(use, name)}
        return frozenset({*found, OVERFLOW})

    def _family(self, name: str) -> Family[...] | None:
        return next((family for family in self.catalog.of(Family) if family.name == name), None)

    def _of_family(self, family: Family[...]) -> Iterable[Known]:
        components = [each for name, each in self.catalog.components.items() if self.catalog.exports(family, name)]
        constant = {"component", *(["node_id"] if any(each.has_node for each in components) else [])}
        carried = Carried.of(constant | _OF_TARGETS | set(family.label_names) | {"__name__"})
        values = {use.name: self.values(family, use) for use in family.labels if use.label.domain is Domain.CLOSED}
        values["component"] = frozenset(each.name for each in components)
        uses = {use.name: use for use in family.labels}
        if not isinstance(family, Histogram):
            kind = Gauge if isinstance(family, Gauge) else Counter
            yield Known(name=family.name, carried=carried, declaration=family, kind=kind, values=values, uses=uses)
            return
        for part in _PARTS:
            has_bound = part == "_bucket"
            bounds = {"le": frozenset(as_bound(bound) for bound in (*family.buckets, float("inf")))} if has_bound else {}
            yield Known(
                name=family.name + part, carried=carried.plus(bounds), declaration=family, kind=Counter,
                values={**values, **bounds}, uses=uses,
            )  # fmt: skip

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
