"""What the proof rests on: every bound somebody chose, and whether a quota stands behind it or only an assumption."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from obslib.budget.world import World
from obslib.catalog import Catalog, Domain, Family, InstanceMetric, Joint, Label, LabelUse

__all__ = ["Bound", "bounds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One bound of the proof: at most ``at_most`` values of ``labels`` in a process, and why that should be enough.

    ``there_are`` is how many a platform of this size has (None: unknown); what passes the bound is folded into ``_other``.
    ``enforced`` names file, key and value of the quota behind it, and is empty where it is an assumption. ``parts`` are the
    open labels of a joint domain; there it is the combinations that are held to the bound.
    """

    labels: tuple[str, ...]
    at_most: int
    there_are: int | None
    quota: str
    enforced: str
    why: str
    parts: tuple[Bound, ...] = ()

    @property
    def surplus(self) -> int:
        """How many values have no series of their own, at worst."""
        return max(0, (self.there_are or 0) - self.at_most)


def bounds(catalog: Catalog, world: World) -> Iterator[Bound]:
    """Every open label that stands alone somewhere, every joint domain with an open label, every cap on instances."""
    families = catalog.of(Family)
    for label in dict.fromkeys(label for family in families for label in _alone(family)):
        yield _of_label(label, world)
    for joint, uses in {joint: _joined(joint, family) for family in families for joint in family.joints}.items():
        if parts := tuple(_of_label(use.label, world) for use in uses if use.label.domain is Domain.BUDGETED):
            yield _bound(joint.labels, joint.at_most, _together(uses, world), world, joint.why, parts=parts)
    for family in families:
        if isinstance(family, InstanceMetric):
            yield _bound(family.label_names, family.max_series, None, world, f"the cap of {family.name}", family.quota)


def _of_label(label: Label, world: World) -> Bound:
    there_are = world.existing(label.counts, label.quota)
    return _bound((label.name,), label.at_most, there_are, world, label.why, label.quota)


def _bound(
    labels: tuple[str, ...],
    at_most: int,
    there_are: int | None,
    world: World,
    why: str,
    quota: str = "",
    parts: tuple[Bound, ...] = (),
) -> Bound:
    enforced = world.quotas.where(quota)
    return Bound(labels=labels, at_most=at_most, there_are=there_are, quota=quota, enforced=enforced, why=why, parts=parts)


def _alone(family: Family[...]) -> Iterator[Label]:
    grouped = {name for joint in family.joints for name in joint.labels}
    if not isinstance(family, InstanceMetric):
        for use in family.labels:
            if use.label.domain is Domain.BUDGETED and use.name not in grouped:
                yield use.label


def _joined(joint: Joint, family: Family[...]) -> tuple[LabelUse, ...]:
    return tuple(use for use in family.labels if use.name in joint.labels)


def _together(uses: tuple[LabelUse, ...], world: World) -> int | None:
    """Combinations there can be; unknown as soon as nobody knows how many values one of the labels has."""
    counts = [_values(use, world) for use in uses]
    known = [count for count in counts if count is not None]
    return prod(known) if len(known) == len(counts) else None


def _values(use: LabelUse, world: World) -> int | None:
    return len(use.values) or None if use.label.domain is Domain.CLOSED else world.existing(use.label.counts, use.label.quota)
