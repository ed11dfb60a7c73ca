"""Whatever is declared and whatever arrives: a process exposes at most what its catalog proved, and no less can be proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from obslib.catalog import OVERFLOW, Catalog, Counter, Family, Gauge, Histogram, Joint, LabelUse, budget
from obslib.catalog.platform import PLATFORM
from obslib.metrics import Registry, admission
from obslib.metrics.admission import Admission
from obslib.metrics.domains import Slots, Ties
from obslib.metrics.families import GaugeFamily
from tests.catalog.any_catalog import Step, catalogs, own, steps
from tests.catalog.brim import BY_PROMETHEUS, Brim, a_registry, exposed, record

Check = Callable[[Catalog, list[Step]], None]


def act(registry: Registry, step: Step) -> None:
    """Do one step; telemetry calls never raise, whatever they are given."""
    bound: Any = registry[step.family]
    values = tuple(step.labels.get(name) for name in step.family.label_names)
    match step.what:
        case "remove":
            bound.remove(**step.labels)
        case "forget":
            for name, value in step.labels.items():
                registry.forget(name, value)
        case "source" if isinstance(step.family, Counter):
            bound.mirror(lambda: {values: step.value})
        case "source" if isinstance(step.family, Gauge):
            bound.callback(lambda: {values: step.value})
        case "replace" if isinstance(step.family, Gauge):
            bound.replace({tuple(map(repr, values)): step.value, values[:0]: 1})
        case "scrape":
            registry.exposition()
        case _:
            record(registry, step.family, step.labels, step.value)


def assert_within_proof(registry: Registry, catalog: Catalog) -> None:
    """Every family, and the process, expose at most what was proven."""
    found = exposed(registry, catalog, "shop")
    for proven in catalog.budget("shop"):
        assert found.get(proven.family, 0) <= proven.series, proven
    assert sum(found.values()) <= catalog.worst_case("shop") - len(BY_PROMETHEUS)


def stays_within(catalog: Catalog, done: list[Step]) -> None:
    """However the steps are mixed, however full the domains are then, and after half of it made room for others."""
    registry = a_registry(catalog, "shop")
    for step in done:
        act(registry, step)
    assert_within_proof(registry, catalog)
    for first in (0, 50):
        Brim(catalog, "shop", first).fill(registry, own(catalog))
        assert_within_proof(registry, catalog)
        for family in own(catalog):
            for values, _ in registry[family].series()[::2]:
                registry[family].remove(**dict(zip(family.label_names, values, strict=True)))


def reaches(catalog: Catalog, _: list[Step]) -> None:
    """Of a process whose domains are all full, every family exposes exactly what was proven, whatever there is of things."""
    ours = {family.name for family in own(catalog)}
    for things in (None, 1, 2):
        registry = a_registry(catalog, "shop")
        Brim(catalog, "shop", things=things).fill(registry, own(catalog))
        found = exposed(registry, catalog, "shop")
        proven = catalog.measured("shop", lambda measures, _, things=things: things if measures else None)
        assert {name: found[name] for name in ours} == {b.family: b.series for b in proven if b.family in ours}


def explore(check: Check, examples: int) -> None:
    """Run ``check`` on that many catalogs, each with steps of its own; the same ones every time."""

    @given(st.data())
    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    def run(data: st.DataObject) -> None:
        catalog = data.draw(catalogs())
        check(catalog, data.draw(steps(catalog)))

    run()


def test_no_values_lead_any_catalog_past_its_proof() -> None:
    """Any declarations, any values from any side, removals between them: observed is at most proven."""
    explore(stays_within, 20)


def test_no_proof_is_larger_than_it_must_be() -> None:
    """A process that is given every value there may be, and some more, exposes exactly what was proven of each family."""
    explore(reaches, 20)


@pytest.mark.slow
@pytest.mark.parametrize("check", [stays_within, reaches])
def test_many_catalogs_keep_and_reach_their_proofs(check: Check) -> None:
    """What the two tests above try on a few catalogs holds on many."""
    explore(check, 250)


def unbounded_in_turn(family: Family[...], *parts: Any, units: Any = admission._units) -> Any:
    """A broken split of a family's labels: each label of a joint domain is admitted by itself."""
    return units(replace(family, joints=()), *parts)


def any_pair(family: Family[...], *parts: Any, units: Any = admission._units) -> Any:
    """A broken split: where the catalog itself has the pairs, each name of it is admitted with every other."""
    return units(replace(family, joints=tuple(joint for joint in family.joints if joint.source is None)), *parts)


def frees_at_once(self: Slots, key: tuple[str, ...]) -> None:
    """A broken release: the first series that goes frees the place of all the others."""
    self._held.pop(key, None)


def keeps_determined(
    self: Admission, unit: Any, values: tuple[str, ...], placed: list[str], *, place: Any = Admission._place_unit
) -> None:
    """A broken fold: what a folded label determines stays as it was given."""
    place(self, unit, values, placed)
    for column, _ in unit.followers:
        placed[column.position] = values[column.position] or OVERFLOW


def without_other(self: budget._Room, use: LabelUse, *, alone: Any = budget._Room.alone) -> int:
    """A broken proof: ``_other`` is forgotten."""
    return int(alone(self, use)) - 1


def without_one_pair(self: budget._Room, joint: Joint, uses: Any, *, together: Any = budget._Room.together) -> int:
    """A broken proof: of the pairs that the catalog has, one is forgotten."""
    return int(together(self, joint, uses)) - (joint.source is not None)


MUTANTS: dict[str, tuple[object, str, object]] = {
    "the proof forgets the _other of a label": (budget._Room, "alone", without_other),
    "the proof forgets the _other of a joint": (Joint, "bound", property(lambda self: self.at_most + len(self.reserved))),
    "the proof forgets what is reserved": (Joint, "bound", property(lambda self: self.at_most + 1)),
    "the proof forgets the +Inf bucket": (Histogram, "samples_per_series", property(lambda self: len(self.buckets) + 2)),
    "a determined label stays when its determiner folds": (Admission, "_place_unit", keeps_determined),
    "a label may determine two values": (Ties, "tied", lambda self, key: None),
    "a joint is admitted label by label": (admission, "_units", unbounded_in_turn),
    "a pair that the catalog does not have is admitted": (admission, "_units", any_pair),
    "the proof forgets a pair that the catalog has": (budget._Room, "together", without_one_pair),
    "an undeclared value of a closed label is kept": (Admission, "_fault", lambda self, column, value: None),
    "a domain always has room": (Slots, "has_room", lambda self, key: True),
    "a place is free while a series holds it": (Slots, "release", frees_at_once),
    "instances are not capped": (GaugeFamily, "_is_exported", lambda self, placed: True),
}
"""Broken builds, each caught by the check above: where, what, and what stands there instead."""


RARE = "a joint is admitted label by label"
"""Only every fortieth catalog or so has what this one breaks."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name == RARE)) for name in MUTANTS])
def test_the_exploration_catches_mutants(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one part of proof or admission broken, some catalog exposes more than was proven."""
    target, attribute, broken = MUTANTS[name]
    monkeypatch.setattr(target, attribute, broken)
    with pytest.raises(AssertionError):
        explore(stays_within, 100)


def padded(self: budget._Room, use: LabelUse, *, alone: Any = budget._Room.alone) -> int:
    """A lazy proof: one value too many for each label."""
    return int(alone(self, use)) + 1


def without_reserved(self: budget._Room, joint: Joint, uses: Any, *, together: Any = budget._Room.together) -> int:
    """A broken proof at a size: what is reserved is taken for a combination of the things that there are."""
    return int(together(self, replace(joint, reserved=()), uses))


def every_pair(self: budget._Room, joint: Joint, uses: Any, *, together: Any = budget._Room.together) -> int:
    """A lazy proof: where the catalog itself has the pairs, each name of it is multiplied by every other."""
    return prod(map(self.alone, uses)) if joint.source is not None else int(together(self, joint, uses))


@pytest.mark.parametrize(("part", "broken"), [("alone", padded), ("together", without_reserved), ("together", every_pair)])
def test_the_exploration_catches_a_proof_that_is_not_exact(part: str, broken: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof of too much is noticed like one of too little: what is exposed is not what was proven."""
    monkeypatch.setattr(budget._Room, part, broken)
    with pytest.raises(AssertionError):
        explore(reaches, 100)


@pytest.mark.parametrize("component", sorted(PLATFORM.components))
def test_a_component_filled_past_every_domain_exposes_exactly_its_worst_case(component: str) -> None:
    """Of the platform's own catalog, each family reaches what was proven of it, and none passes it."""
    registry = a_registry(PLATFORM, component)
    Brim(PLATFORM, component).fill(registry)
    found = exposed(registry, PLATFORM, component)
    assert found == {b.family: b.series for b in PLATFORM.budget(component) if b.family not in BY_PROMETHEUS}
    assert sum(found.values()) + len(BY_PROMETHEUS) == PLATFORM.worst_case(component)
