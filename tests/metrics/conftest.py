"""A registry over a small catalog, and its series as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from obslib.catalog import COMMON, Catalog, Component, Declaration, Family, Plane
from obslib.guard import Guard
from obslib.metrics import Registry
from obslib.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """One registry with the tally and the guard behind it."""

    registry: Registry
    tally: Tally
    guard: Guard

    def samples(self, family: Family[...]) -> dict[tuple[str, ...], float]:
        """What is exposed of a counter or a gauge, by label values in declared order."""
        return {
            tuple(sample.labels[name] for name in family.label_names): sample.value
            for metric in self.registry.collector.collect()
            for sample in metric.samples
            if sample.name == family.name
        }

    def counted(self, family: Family[...]) -> dict[tuple[str, ...], float]:
        """Like ``samples``, without what is 0."""
        return {values: value for values, value in self.samples(family).items() if value}


@pytest.fixture
def rig() -> Callable[..., Rig]:
    """Build a rig for component ``shop`` over the common catalog and some signals, or over a whole ``catalog``."""

    def build(
        *signals: Declaration,
        catalog: Catalog | None = None,
        component: str = "shop",
        constant: Mapping[str, str] | None = None,
        **parts: object,
    ) -> Rig:
        shop = Component(name="shop", plane=Plane.CONTROL_PLANE)
        tally = Tally()
        guard = Guard(tally)
        registry = Registry(
            catalog=catalog or COMMON.extend("shop", components=[shop], signals=signals),
            component=component,
            constant=constant or {},
            tally=tally,
            guard=guard,
            **parts,
        )
        return Rig(registry=registry, tally=tally, guard=guard)

    return build
