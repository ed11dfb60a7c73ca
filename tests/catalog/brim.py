"""Registries filled past every domain, and what they expose, counted line by line as a scraper would."""

from __future__ import annotations

import itertools
from collections import Counter as Tallied
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zlib import crc32

from obslib.catalog import (
    COMMON,
    OVERFLOW,
    Catalog,
    Counter,
    Domain,
    ExternalMetric,
    Family,
    Gauge,
    Histogram,
    InstanceMetric,
    Joint,
    Label,
    LabelUse,
)
from obslib.guard import Guard
from obslib.ids import ulid
from obslib.metrics import Registry
from obslib.tally import Tally

__all__ = ["BY_PROMETHEUS", "Brim", "a_registry", "exposed", "in_shape", "record"]

BY_PROMETHEUS = frozenset(metric.name for metric in COMMON.of(ExternalMetric) if metric.is_of_scraper)
"""Families that the proof counts and no process exposes: Prometheus writes them for each target."""

_BEYOND = 2  # how many values past its domain each label is given

Key = tuple[str, ...]


def a_registry(catalog: Catalog, component: str, **constant: str) -> Registry:
    """A registry of ``component``, with a tally and a guard of its own."""
    tally = Tally()
    return Registry(catalog=catalog, component=component, constant=constant, tally=tally, guard=Guard(tally))


def record(registry: Registry, family: Family[...], labels: dict[str, object], value: float = 0.5) -> None:
    """One sample under ``labels``."""
    handle = registry[family].labels(**labels)
    match family:
        case Counter():
            handle.inc(value)
        case Gauge():
            handle.set(value)
        case Histogram():
            handle.observe(value)


def exposed(registry: Registry, catalog: Catalog, component: str) -> dict[str, int]:
    """How many lines the exposition of ``registry`` has of each family; a line that no family accounts for is an error."""
    names: dict[str, str] = {metric.name: metric.name for metric in catalog.of(ExternalMetric, component)}
    for family in catalog.of(Family, component):
        suffixes = ("_bucket", "_sum", "_count") if isinstance(family, Histogram) else ("",)
        names |= {family.name + suffix: family.name for suffix in suffixes}
    lines = registry.exposition()[0].decode().split("\n")
    return dict(Tallied(names[line.partition(" ")[0].partition("{")[0]] for line in lines if line and line[0] != "#"))


def in_shape(label: Label, number: int) -> str:
    """The value ``number`` of an open label, in the shape that it declares; the same in every family."""
    if label.id_prefix:
        return f"{label.id_prefix}_{ulid(number, number)}"
    return str(8_000 + number) if label.pattern.startswith("[0-9]{") else f"v{number}"


@dataclass(frozen=True, slots=True)
class Brim:
    """Every combination that the domains of ``component`` hold, and some past each; open values are numbered from ``first``.

    Where there are only so many ``things``, a label that counts them has no other values, and ``_other`` for none.
    """

    catalog: Catalog
    component: str
    first: int = 0
    things: int | None = None

    def fill(self, registry: Registry, families: Iterable[Family[...]] = ()) -> None:
        """Give each of ``families``, or every family there is, a sample under each of its combinations."""
        for family in families or self.catalog.of(Family, self.component):
            for labels in self._combinations(family):
                record(registry, family, labels)

    def _combinations(self, family: Family[...]) -> Iterator[dict[str, object]]:
        """All that ``family`` multiplies by, first with one value of what is determined, then with another."""
        uses = {use.name: use for use in family.labels}
        joined = {name for joint in family.joints for name in joint.labels}
        determined = {name for use in family.labels for name in use.label.determines if name in uses} - joined
        single = [use for name, use in uses.items() if name not in joined | determined]
        names = [*itertools.chain(*(joint.labels for joint in family.joints)), *(use.name for use in single)]
        keys = [*(self._keys(joint, uses) for joint in family.joints), *(self._values(use, family) for use in single)]
        for turn in range(2 if determined else 1):
            followers = {name: self._determined(uses[name], turn) for name in determined}
            for chosen in itertools.product(*keys):
                yield {**followers, **dict(zip(names, itertools.chain(*chosen), strict=True))}

    def _values(self, use: LabelUse, family: Family[...]) -> list[Key]:
        if use.label.domain is Domain.CLOSED:
            return [*((value,) for value in self.catalog.values(use, self.component)), ("undeclared",), ("undeclared2",)]
        if self.things is not None and use.label.counts:
            return [(value,) for value in (*self._open(use.label, self.things), OVERFLOW)]
        wanted, sample = use.label.at_most + _BEYOND, 1
        if isinstance(family, InstanceMetric):
            wanted, sample = family.max_series + _BEYOND, family.sample
        values = (in_shape(use.label, number) for number in itertools.count(self.first))
        return [(value,) for value in itertools.islice((v for v in values if crc32(v.encode()) % sample == 0), wanted)]

    def _keys(self, joint: Joint, uses: dict[str, LabelUse]) -> list[Key]:
        """Every reserved combination of ``joint``, as many others as it may hold, some more, and one of no values."""
        joint = self.catalog.joint(joint, self.component)
        wanted = joint.at_most + len(joint.reserved) + _BEYOND
        columns = [
            self.catalog.values(uses[name], self.component) or self._open(uses[name].label, wanted) for name in joint.labels
        ]
        return [*joint.reserved, *itertools.islice(itertools.product(*columns), wanted), (OVERFLOW,) * len(columns)]

    def _open(self, label: Label, wanted: int) -> list[str]:
        """That many values of an open label, or as many as there are."""
        most = wanted if self.things is None or not label.counts else min(self.things, wanted)
        return [in_shape(label, number) for number in range(self.first, self.first + most)]

    def _determined(self, use: LabelUse, turn: int) -> str:
        known = use.label.values or self.catalog.values(use, self.component)
        return known[turn % len(known)] if known else in_shape(use.label, self.first + turn)
