"""What every family of one registry shares, and what it counts about itself.

All counting of folded values and failed sources happens here, in the tally, so that a family knows how to hold
series and nothing about the signals that speak of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from obslib.catalog import Catalog, Domain, Family, Joint, LabelUse
from obslib.catalog.common import METRIC_LABEL_OVERFLOW, METRIC_LABEL_REJECTIONS, METRIC_SOURCE_ERRORS
from obslib.clock import Clock
from obslib.guard import Guard
from obslib.metrics.admission import Admission, Fault
from obslib.metrics.cells import CellContext, Redacts
from obslib.metrics.domains import Domains, Slots
from obslib.metrics.latch import Latch
from obslib.metrics.offenders import Offenders
from obslib.tally import Tally

__all__ = ["Wiring"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The shared parts. ``constant`` labels go on every sample; ``latch`` guards series and domains."""

    catalog: Catalog
    component: str
    constant: Mapping[str, str]
    tally: Tally
    guard: Guard
    redactor: Redacts | None
    clock: Clock | None
    latch: Latch = field(default_factory=Latch)
    domains: Domains = field(default_factory=Domains)
    offenders: Offenders = field(default_factory=Offenders)

    def context(self, family: Family[...]) -> CellContext:
        """What the cells of ``family`` share."""
        return CellContext(
            family=family.name,
            guard=self.guard,
            latch=self.latch,
            redactor=self.redactor,
            now=self.clock.now if self.clock else None,
        )

    def admission(self, family: Family[...]) -> Admission:
        """The gate every label combination of ``family`` passes."""

        def report(label: str, fault: Fault, value: str) -> None:
            self.folded(family, label, fault, value)

        return Admission(
            family, values=self.values, joints=self.joint, domains=self.domains, redactor=self.redactor, report=report
        )

    def values(self, use: LabelUse) -> tuple[str, ...]:
        """The closed values of a label in this component."""
        return self.catalog.values(use, self.component)

    def joint(self, joint: Joint) -> Joint:
        """A joint domain as it is in this component."""
        return self.catalog.joint(joint, self.component)

    def folded(self, family: Family[...], label: str, fault: Fault, value: str) -> None:
        """Count a value that became ``_other``; one that was absent has been counted by the guard already."""
        if fault == "overflow":
            self.tally.cell(METRIC_LABEL_OVERFLOW, metric=family.name, label=label).add()
            self.offenders.add(family.name, label, value)
        elif fault != "absent":
            self.tally.cell(METRIC_LABEL_REJECTIONS, reason=fault).add()

    def source_failed(self, family: Family[...]) -> None:
        """Count a source of ``family`` that could not be read."""
        self.tally.cell(METRIC_SOURCE_ERRORS, source=family.name).add()

    def starting_points(self, family: Family[...]) -> Iterable[tuple[str, ...]]:
        """The label combinations that are exported from the start, at 0: all that can be, when every label is closed.

        None where a label determines another, because only the component knows which pairs are true.
        """
        own = set(family.label_names)
        if any(joint.at_most for joint in family.joints) or any(
            use.label.domain is not Domain.CLOSED or not own.isdisjoint(use.label.determines) for use in family.labels
        ):
            return ()
        joints = [(self.domains.of(self.joint(joint)), joint.labels) for joint in family.joints]
        points = itertools.product(*map(self.values, family.labels))
        return (point for point in points if all(_holds(slots, labels, family, point) for slots, labels in joints))


def _holds(slots: Slots, labels: tuple[str, ...], family: Family[...], point: tuple[str, ...]) -> bool:
    return slots.has_room(tuple(point[family.label_names.index(name)] for name in labels))
