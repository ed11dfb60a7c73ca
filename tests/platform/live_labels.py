"""A linter for a live exposition: which labels are not declared, and which values no label may have (CARD-01)."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from obslib.catalog import ExternalMetric, Family, LabelUse
from obslib.catalog.labels import FORBIDDEN, OVERFLOW
from obslib.catalog.platform import PLATFORM
from obslib.catalog.shapes import refused_shape

__all__ = ["unbounded"]

_CONSTANT = {"component", "node_id"}
_FORMAT = {"le"}
_FAMILIES = {family.name.removesuffix("_total"): family for family in PLATFORM.of(Family)}
_OTHERS = {metric.name.removesuffix("_total") for metric in PLATFORM.of(ExternalMetric)}


def unbounded(exposition: str, component: str) -> Iterator[str]:
    """What is wrong with each sample, in words; nothing for an exposition that keeps to the catalog."""
    for exposed in text_string_to_metric_families(exposition):
        family = _FAMILIES.get(exposed.name.removesuffix("_total"))
        if family is None and exposed.name.removesuffix("_total") not in _OTHERS:
            yield f"{exposed.name} is not declared"
            continue
        uses = {use.name: use for use in family.labels} if family else {}
        for sample in exposed.samples:
            for name, value in sample.labels.items():
                if name in FORBIDDEN and name not in uses:
                    yield f"{sample.name}: label {name} is forbidden"
                elif family and name not in uses.keys() | _CONSTANT | _FORMAT:
                    yield f"{sample.name}: label {name} is not declared"
                elif name not in _CONSTANT and not _is_bounded(value, uses.get(name), component):
                    yield f"{sample.name}: {name} {value!r} has the shape of a {refused_shape(value) or 'free text'}"


def _is_bounded(value: str, use: LabelUse | None, component: str) -> bool:
    if value == OVERFLOW or use is None:
        return refused_shape(value) is None
    closed = PLATFORM.values(use, component)
    if closed:
        return value in closed
    if use.label.id_prefix:
        return value.startswith(f"{use.label.id_prefix}_")
    return bool(use.label.pattern) or refused_shape(value) is None
