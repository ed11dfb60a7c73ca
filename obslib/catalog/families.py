"""Metric families: what may be counted, measured and distributed, with which labels.

Names follow Prometheus: base units, counters end in ``_total``, gauges never do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, ParamSpec

from obslib.catalog.declaration import Declaration, Deprecated, Plane, Stability, parameters, sentence
from obslib.catalog.labels import Domain, Joint, Label, LabelUse
from obslib.catalog.units import require_unit, unit_of
from obslib.errors import CatalogError, LabelNotAllowed

__all__ = [
    "AcrossWorkers", "Counter", "ExternalMetric", "Family", "Gauge", "Histogram", "InstanceMetric",
    "counter", "gauge", "histogram", "instance_gauge",
]  # fmt: skip

P = ParamSpec("P")

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
RESERVED_SUFFIXES = ("_bucket", "_sum", "_count", "_created", "_info")


class AcrossWorkers(StrEnum):
    """How a gauge of several worker processes becomes one figure."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Family(Declaration, Generic[P]):
    """A metric family; ``signature`` carries the label names and their types to the bound handle."""

    signature: Callable[P, None]
    labels: tuple[LabelUse, ...] = ()
    joints: tuple[Joint, ...] = ()

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        if "." in self.name or "-" in self.name:
            raise CatalogError(f"metric {self.name!r} must be lower_snake_case")
        if self.name.endswith(RESERVED_SUFFIXES) and self.name != "build_info":
            raise CatalogError(f"metric {self.name!r} ends in a suffix that the exposition format reserves")
        if any(use.label.is_per_instance for use in self.labels) and not isinstance(self, InstanceMetric):
            raise LabelNotAllowed(
                f"metric {self.name!r} has a per-instance label; declare it with instance_gauge(...), "
                "or show the figure in 'platform describe instance' (CARD-02, CARD-07)"
            )
        self._check_joints()
        self._check_determined()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The family's own labels in declared order, without constant ones."""
        return tuple(use.name for use in self.labels)

    @property
    def unit(self) -> str:
        """The base unit its name ends in; empty when it is a plain count."""
        return unit_of(self.name)

    @property
    def samples_per_series(self) -> int:
        """How many exposition lines one label combination costs."""
        return 1

    def _check_joints(self) -> None:
        seen: set[str] = set()
        sources = {use.name: use.label.source for use in self.labels}
        for joint in self.joints:
            if not set(self.label_names).issuperset(joint.labels):
                raise CatalogError(f"metric {self.name!r} uses joint domain {joint.name!r} without all of {joint.labels!r}")
            if not seen.isdisjoint(joint.labels):
                raise CatalogError(f"metric {self.name!r} has a label in two joint domains; give each label one bound")
            if joint.source is not None and tuple(sources[name] for name in joint.labels) != joint.source.value:
                raise CatalogError(
                    f"metric {self.name!r}: joint domain {joint.name!r} pairs {' and '.join(joint.source.value)}, "
                    f"which {joint.labels!r} do not hold; give each label that source=, or list the pairs in reserved="
                )
            seen.update(joint.labels)

    def _check_determined(self) -> None:
        """Follow ``determines`` from each label; one that leads back to itself would cost nothing in the proof."""
        determines = {use.name: use.label.determines for use in self.labels}
        for start in determines:
            reached, ahead = set[str](), list(determines[start])
            while ahead:
                name = ahead.pop()
                if name == start:
                    raise CatalogError(
                        f"metric {self.name!r}: label {start!r} ends up determining itself; drop one determines="
                    )
                if name not in reached:
                    reached.add(name)
                    ahead += determines.get(name, ())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Counter(Family[P]):
    """A total that only grows."""

    def __post_init__(self) -> None:
        Family.__post_init__(self)
        if not self.name.endswith("_total"):
            raise CatalogError(f"counter {self.name!r} must end in '_total'")
        require_unit("counter", self.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Gauge(Family[P]):
    """A figure that rises and falls; ``None`` from a callback means absent, never zero."""

    across_workers: AcrossWorkers = AcrossWorkers.SUM

    def __post_init__(self) -> None:
        Family.__post_init__(self)
        if self.name.endswith("_total"):
            raise CatalogError(f"gauge {self.name!r} must not end in '_total'; that suffix promises a counter")
        require_unit("gauge", self.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Histogram(Family[P]):
    """A distribution over fixed upper ``buckets`` (ascending, without +Inf), in the unit of the name."""

    buckets: tuple[float, ...] = field(default=_LATENCY)

    def __post_init__(self) -> None:
        Family.__post_init__(self)
        if not self.buckets or list(self.buckets) != sorted(set(self.buckets)):
            raise CatalogError(f"histogram {self.name!r} needs ascending buckets, not {self.buckets!r}")
        require_unit("histogram", self.name)
        if not self.unit:
            raise CatalogError(f"histogram {self.name!r} must end in its base unit: _seconds, _bytes or _ratio")

    @property
    def samples_per_series(self) -> int:
        """Each finite bucket, +Inf, the sum and the count."""
        return len(self.buckets) + 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class InstanceMetric(Gauge[P]):
    """The only gauge that may carry ``instance_id`` (CARD-02).

    A ``quota`` bounds how many instances exist, ``max_series`` how many are exported, ``aggregate`` is
    the family that speaks for all of them, ``sample`` = n exports one instance in n. Series vanish
    with their instance.
    """

    quota: str
    max_series: int
    aggregate: Family[...]
    sample: int = 1

    def __post_init__(self) -> None:
        Gauge.__post_init__(self)
        if not any(use.label.is_per_instance for use in self.labels):
            raise CatalogError(f"instance metric {self.name!r} needs the per-instance label; use gauge(...) for anything else")
        if not self.quota or self.max_series < 1 or self.sample < 1:
            raise CatalogError(f"instance metric {self.name!r} needs a quota, max_series >= 1 and sample >= 1 (CARD-02)")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ExternalMetric(Declaration):
    """A family somebody else exports (``up``, the process collector); ``series`` is its cost per target.

    ``label_names`` are the labels it has of its own. What ``is_of_scraper`` is not in ``/metrics``: Prometheus writes it for
    each target, with the target's labels and none of the process's.
    """

    series: int = 1
    label_names: tuple[str, ...] = ()
    is_of_scraper: bool = False


def counter(
    name: str,
    *,
    serves: tuple[str, ...],
    plane: Plane = Plane.COMMON,
    components: tuple[str, ...] = (),
    joints: tuple[Joint, ...] = (),
    stability: Stability | Deprecated = Stability.STABLE,
) -> Callable[[Callable[P, None]], Counter[P]]:
    """Declare a counter from a signature of labels and a help docstring."""

    def declare(function: Callable[P, None]) -> Counter[P]:
        return Counter(
            name=name, help=sentence(function), plane=plane, serves=serves, components=components,
            stability=stability, signature=function, labels=_labels(name, function), joints=joints,
        )  # fmt: skip

    return declare


def gauge(
    name: str,
    *,
    serves: tuple[str, ...],
    plane: Plane = Plane.COMMON,
    components: tuple[str, ...] = (),
    joints: tuple[Joint, ...] = (),
    across_workers: AcrossWorkers = AcrossWorkers.SUM,
    stability: Stability | Deprecated = Stability.STABLE,
) -> Callable[[Callable[P, None]], Gauge[P]]:
    """Declare a gauge from a signature of labels and a help docstring."""

    def declare(function: Callable[P, None]) -> Gauge[P]:
        return Gauge(
            name=name, help=sentence(function), plane=plane, serves=serves, components=components,
            stability=stability, signature=function, labels=_labels(name, function), joints=joints,
            across_workers=across_workers,
        )  # fmt: skip

    return declare


def instance_gauge(
    name: str,
    *,
    quota: str,
    max_series: int,
    aggregate: Family[...],
    serves: tuple[str, ...],
    sample: int = 1,
    plane: Plane = Plane.DATA_PLANE,
    components: tuple[str, ...] = (),
    stability: Stability | Deprecated = Stability.STABLE,
) -> Callable[[Callable[P, None]], InstanceMetric[P]]:
    """Declare a per-instance gauge; refused without a quota, a cap and an aggregate form (CARD-02)."""

    def declare(function: Callable[P, None]) -> InstanceMetric[P]:
        return InstanceMetric(
            name=name, help=sentence(function), plane=plane, serves=serves, components=components,
            stability=stability, signature=function, labels=_labels(name, function),
            quota=quota, max_series=max_series, aggregate=aggregate, sample=sample,
        )  # fmt: skip

    return declare


def histogram(
    name: str,
    *,
    serves: tuple[str, ...],
    plane: Plane = Plane.COMMON,
    components: tuple[str, ...] = (),
    joints: tuple[Joint, ...] = (),
    buckets: tuple[float, ...] = _LATENCY,
    stability: Stability | Deprecated = Stability.STABLE,
) -> Callable[[Callable[P, None]], Histogram[P]]:
    """Declare a histogram from a signature of labels and a help docstring."""

    def declare(function: Callable[P, None]) -> Histogram[P]:
        return Histogram(
            name=name, help=sentence(function), plane=plane, serves=serves, components=components,
            stability=stability, signature=function, labels=_labels(name, function), joints=joints, buckets=buckets,
        )  # fmt: skip

    return declare


def _labels(family: str, function: Callable[..., None]) -> tuple[LabelUse, ...]:
    return tuple(_label_use(family, p.name, p.literals, p.annotations) for p in parameters(function))


def _label_use(family: str, name: str, literals: tuple[str, ...], annotations: tuple[object, ...]) -> LabelUse:
    label = next((found for found in annotations if isinstance(found, Label)), None)
    if label is None:
        raise LabelNotAllowed(
            f"metric {family!r}: parameter {name!r} is not annotated with a Label; "
            "use one of the catalog's labels, or log the value instead (CARD-01, CARD-07)"
        )
    if label.name != name:
        raise CatalogError(f"metric {family!r}: parameter {name!r} is annotated with label {label.name!r}; give both one name")
    if len(literals) > label.at_most:
        raise CatalogError(
            f"metric {family!r}: label {name!r} has {len(literals)} values, more than its bound of {label.at_most}"
        )
    if label.domain is Domain.CLOSED and label.source is None and not (literals or label.values):
        raise CatalogError(
            f"metric {family!r}: closed label {name!r} lists no values; annotate the parameter with a Literal or a StrEnum"
        )
    return LabelUse(label=label, values=literals or label.values)
