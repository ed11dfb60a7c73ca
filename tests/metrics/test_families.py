"""Families hold typed series, read their sources, and never raise at an untyped caller."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest

from obslib.catalog import AcrossWorkers, Label, Plane, ReasonSet, counter, gauge, histogram, instance_gauge
from obslib.catalog.common import METRIC_LABEL_OVERFLOW, METRIC_SOURCE_ERRORS, REASON, TELEMETRY_GUARD_ERRORS, Outcome
from obslib.ids import ulid
from obslib.metrics import Registry

Rig = Callable[..., Any]


class Colour(StrEnum):
    """A closed set as an enum."""

    RED = "red"
    BLUE = "blue"


COLOUR = Label.closed("colour", at_most=4)
SHELF = Label.budgeted("shelf", 3, why="shelves")
ZONE = Label.closed("zone", "hot", "cold")
TRUCK = Label(name="truck", domain="closed", at_most=2, values=("big", "small"), determines=("zone",), why="trucks")
INSTANCE = Label(name="instance_id", domain="budgeted", at_most=64, id_prefix="inst", why="quota", is_per_instance=True)


@counter("painted_total", serves=("T",))
def PAINTED(*, colour: Annotated[Colour, COLOUR]) -> None:
    """Things painted."""


@counter("seen_total", serves=("T",))
def SEEN() -> None:
    """Things seen."""


@counter("pooled_total", serves=("T",))
def POOLED(*, shelf: Annotated[str, SHELF]) -> None:
    """Things pooled."""


@counter("loaded_total", serves=("T",))
def LOADED(*, truck: Annotated[str, TRUCK], zone: Annotated[Literal["hot", "cold"], ZONE]) -> None:
    """Things loaded."""


@counter("done_total", serves=("T",), joints=(ReasonSet(name="done", values=("lost",), fallback="lost").outcomes,))
def DONE(*, result: Outcome, reason: Annotated[Literal["none", "lost"], REASON]) -> None:
    """Things done."""


@gauge("stock", serves=("T",))
def STOCK(*, shelf: Annotated[str, SHELF], zone: Annotated[Literal["hot", "cold"], ZONE]) -> None:
    """Things in stock."""


@gauge("temperature", serves=("T",), across_workers=AcrossWorkers.MAX)
def TEMPERATURE(*, shelf: Annotated[str, SHELF]) -> None:
    """Warmest place."""


@gauge("open_doors", serves=("T",))
def OPEN_DOORS() -> None:
    """Doors open."""


@histogram("wait_seconds", serves=("T",), buckets=(0.1, 1.0))
def WAIT(*, colour: Annotated[Colour, COLOUR]) -> None:
    """Time waited."""


@instance_gauge(
    "instance_memory_bytes", serves=("T",), quota="max_instances", max_series=4, aggregate=OPEN_DOORS, sample=2,
    plane=Plane.COMMON,
)  # fmt: skip
def INSTANCE_MEMORY(*, instance_id: Annotated[str, INSTANCE], zone: Annotated[Literal["hot", "cold"], ZONE]) -> None:
    """Memory of one instance."""


SIGNALS = (PAINTED, SEEN, POOLED, STOCK, TEMPERATURE, OPEN_DOORS, WAIT, INSTANCE_MEMORY)


def guarded(r: Any) -> float:
    """What the guard counted for metrics."""
    return r.samples(TELEMETRY_GUARD_ERRORS)[("metrics",)]


def test_one_handle_per_combination(rig: Rig) -> None:
    """The same labels give the same handle, as text or as a member of a StrEnum, in any order."""
    registry: Registry = rig(*SIGNALS).registry
    family = registry[PAINTED]
    assert registry[PAINTED] is family
    assert family.labels(colour=Colour.RED) is family.labels(colour="red")
    stock = registry[STOCK]
    assert stock.labels(shelf="a", zone="hot") is stock.labels(zone="hot", shelf="a")


def test_closed_combinations_start_at_zero(rig: Rig) -> None:
    """Counters and histograms whose labels are all closed are there from the start; open ones and gauges are not."""
    r = rig(*SIGNALS)
    for declaration in SIGNALS:
        r.registry[declaration]
    assert r.samples(PAINTED) == {("red",): 0, ("blue",): 0}
    assert r.samples(SEEN) == {(): 0}
    assert (r.samples(POOLED), r.samples(STOCK), r.samples(OPEN_DOORS)) == ({}, {}, {})
    waits = [m for m in r.registry.collector.collect() if m.name == "wait_seconds"]
    assert len(waits[0].samples) == 2 * (2 + 3)


def test_pairs_that_only_the_component_knows_do_not_start(rig: Rig) -> None:
    """Where a closed label determines another, no pair is made up at the start, so the first true one is not refused."""
    r = rig(*SIGNALS, LOADED)
    loaded = r.registry[LOADED]
    assert r.samples(LOADED) == {}
    loaded.labels(truck="big", zone="cold").inc()
    assert r.samples(LOADED) == {("big", "cold"): 1}


def test_pairs_that_cannot_be_neither_start_nor_count_as_themselves(rig: Rig) -> None:
    """Of a joint domain that lists all its pairs those start at 0; another one is _other, in both labels, and counted."""
    r = rig(DONE)
    family = r.registry[DONE]
    assert r.samples(DONE) == {("success", "none"): 0, ("failure", "lost"): 0}
    family.labels(result="success", reason="lost").inc()
    assert r.samples(DONE)["_other", "_other"] == 1
    assert r.samples(METRIC_LABEL_OVERFLOW)["done_total", "result"] == 1
    assert len(r.samples(DONE)) == DONE.joints[0].bound == 3


def test_a_gauge_is_absent_until_it_has_a_value(rig: Rig) -> None:
    """A handle alone exposes nothing; unknown is not zero."""
    r = rig(*SIGNALS)
    handle = r.registry[OPEN_DOORS].labels()
    assert r.samples(OPEN_DOORS) == {}
    handle.inc(2)
    handle.dec()
    assert r.samples(OPEN_DOORS) == {(): 1}


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"shelf": "a"}, ("a", "_other")),
        ({"zone": "hot"}, ("_other", "hot")),
        ({}, ("_other", "_other")),
        ({"shelf": "a", "zone": "hot", "colour": "red"}, ("a", "hot")),
        ({"shelf": "a", "zone": None}, ("a", "_other")),
        ({"shelf": ["a"], "zone": "hot"}, ("_other", "hot")),
        ({"shelf": b"a", "zone": "hot"}, ("_other", "hot")),
        ({"shelf": True, "zone": "hot"}, ("_other", "hot")),
        ({"shelf": "\ud800", "zone": "hot"}, ("_other", "hot")),
    ],
)
def test_wrong_labels_at_runtime_lose_no_sample(rig: Rig, arguments: dict[str, Any], where: tuple[str, ...]) -> None:
    """A label left out or unusable is ``_other``, one too many is ignored; the guard counts one error for the call."""
    r = rig(*SIGNALS)
    r.registry[STOCK].labels(**arguments).set(4)
    assert r.samples(STOCK) == {where: 4}
    assert guarded(r) == 1


def test_whole_numbers_are_text(rig: Rig) -> None:
    """A port given as a number is the same series as the port given as text."""
    r = rig(*SIGNALS)
    assert r.registry[POOLED].labels(shelf=443) is r.registry[POOLED].labels(shelf="443")
    assert guarded(r) == 0


def test_positional_values_are_no_labels(rig: Rig) -> None:
    """A value without a name is counted and its label is ``_other``."""
    r = rig(*SIGNALS)
    r.registry[POOLED].labels("a").inc()
    assert r.samples(POOLED) == {("_other",): 1}
    assert guarded(r) == 2


def test_text_that_lies_about_itself_is_taken_for_what_it_is(rig: Rig) -> None:
    """A subclass of str with hostile methods neither raises nor gets its own text past the domain."""

    class Liar(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise RuntimeError("str")

        def __hash__(self) -> int:
            raise RuntimeError("hash")

    r = rig(*SIGNALS)
    r.registry[POOLED].labels(shelf=Liar("a")).inc()
    assert r.samples(POOLED) == {("a",): 1}


def test_no_series_is_lost_or_doubled_between_threads(rig: Rig) -> None:
    """Four threads that ask for the same labels at once share one series, and every update is in it."""
    r = rig(*SIGNALS)
    family = r.registry[POOLED]
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for number in range(4_000):
            family.labels(shelf=f"s{number % 5}").inc()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    exposed = r.samples(POOLED)
    assert len(exposed) == 4
    assert sum(exposed.values()) == 16_000


def test_removal_takes_exactly_one_series(rig: Rig) -> None:
    """Only the series of these labels goes; removing nothing, or nonsense, is False and raises nothing."""
    r = rig(*SIGNALS)
    pooled = r.registry[POOLED]
    for shelf in ("a", "b"):
        pooled.labels(shelf=shelf).inc()
    assert [pooled.remove(shelf="a"), pooled.remove(shelf="a"), pooled.remove(), pooled.remove(shelf=[])] == [
        True,
        False,
        False,
        False,
    ]
    assert r.samples(POOLED) == {("b",): 1}


def test_removal_names_a_series_as_labels_does(rig: Rig) -> None:
    """A port given as a number removes the port given as text, and what cannot even be a key removes nothing."""

    class Hostile:
        def __hash__(self) -> int:
            raise RuntimeError("hash")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("eq")

    r = rig(*SIGNALS)
    pooled = r.registry[POOLED]
    for port in (443, 80):
        pooled.labels(shelf=port).inc()
    assert [pooled.remove(shelf=Hostile()), pooled.forget("shelf", Hostile())] == [False, 0]
    assert [pooled.remove(shelf=443), pooled.forget("shelf", 80)] == [True, 1]
    assert r.samples(POOLED) == {}


# callbacks


def test_a_callback_gauge_is_read_at_each_scrape(rig: Rig) -> None:
    """What the callback says now is exposed; None is absent, not zero."""
    r = rig(*SIGNALS)
    reading: list[float | None] = [3, None, 4.5]
    r.registry[OPEN_DOORS].callback(lambda: reading.pop(0))
    assert [r.samples(OPEN_DOORS), r.samples(OPEN_DOORS), r.samples(OPEN_DOORS)] == [{(): 3}, {}, {(): 4.5}]


def test_a_callback_that_raises_is_absent_and_counted(rig: Rig) -> None:
    """A broken source costs its own series and a counter, nothing else."""
    r = rig(*SIGNALS)

    def broken() -> float:
        raise RuntimeError("pool is closed")

    r.registry[OPEN_DOORS].callback(broken)
    r.registry[SEEN].labels().inc()
    assert (r.samples(OPEN_DOORS), r.samples(SEEN)) == ({}, {(): 1})
    assert r.counted(METRIC_SOURCE_ERRORS) == {("open_doors",): 3}


def test_a_callback_names_its_series_anew_each_time(rig: Rig) -> None:
    """Series that the callback no longer names are gone with their places, so newcomers are admitted at once."""
    r = rig(*SIGNALS)
    readings = [{("a", "hot"): 1, ("b", "hot"): 2, ("c", "cold"): None}, {(s, "cold"): 3 for s in "def"}]
    r.registry[STOCK].callback(lambda: readings.pop(0))
    assert r.samples(STOCK) == {("a", "hot"): 1, ("b", "hot"): 2}
    assert r.samples(STOCK) == {("d", "cold"): 3, ("e", "cold"): 3, ("f", "cold"): 3}


def test_figures_that_end_in_one_series_are_combined(rig: Rig) -> None:
    """Folded figures, and those of two callbacks, add up or give the largest, as the declaration says."""
    r = rig(*SIGNALS)
    r.registry[STOCK].callback(lambda: {(s, "hot"): 1 for s in "abcde"})
    r.registry[STOCK].callback(lambda: {("a", "hot"): 10})
    r.registry[TEMPERATURE].callback(lambda: {"a": 7, "x1": 20, "x2": 30, "x3": 25})
    assert r.samples(STOCK) == {("a", "hot"): 11, ("b", "hot"): 1, ("c", "hot"): 1, ("_other", "hot"): 2}
    assert r.samples(TEMPERATURE) == {("a",): 7, ("_other",): 30}


def test_replace_drops_what_is_no_longer_named(rig: Rig) -> None:
    """A gauge measured whole has exactly the series of its last measurement."""
    r = rig(*SIGNALS)
    stock = r.registry[STOCK]
    stock.labels(shelf="a", zone="hot").set(9)
    stock.replace({("b", "hot"): 1, ("c", "hot"): 2})
    stock.replace({("d", "cold"): 4, ("c", "hot"): 3})
    assert r.samples(STOCK) == {("d", "cold"): 4, ("c", "hot"): 3}
    stock.replace({"no tuple": 1, ("e", "hot"): "x", ("f", "hot"): 1})
    assert r.samples(STOCK) == {("f", "hot"): 1}
    assert guarded(r) == 1


# mirrors


def test_a_mirrored_total_survives_restarts_and_departures(rig: Rig) -> None:
    """A source that restarts lower goes on growing, and one that leaves keeps what it brought."""
    r = rig(*SIGNALS)
    readings = [{"a": 10, "b": 5}, {"a": 12, "b": 5}, {"a": 1}, {"a": 2, "b": 6}, {}]
    r.registry[POOLED].mirror(lambda: readings.pop(0))
    seen = [tuple(r.samples(POOLED).values()) for _ in range(5)]
    assert seen == [(10, 5), (12, 5), (13, 5), (14, 6), (14, 6)]


def test_a_mirror_that_fails_keeps_the_total(rig: Rig) -> None:
    """An unreadable or senseless total is counted and leaves the series where it was."""
    r = rig(*SIGNALS)
    answers = iter([4, -1, "x"])

    def read() -> Any:
        return next(answers)

    r.registry[SEEN].mirror(read)
    assert [r.samples(SEEN)[()] for _ in range(4)] == [4, 4, 4, 4]
    assert r.counted(METRIC_SOURCE_ERRORS) == {("seen_total",): 4}


def test_mirrored_and_counted_add_up(rig: Rig) -> None:
    """Two sources and a handle of one series are one total."""
    r = rig(*SIGNALS)
    r.registry[SEEN].mirror(lambda: 10)
    r.registry[SEEN].mirror(lambda: 5)
    r.registry[SEEN].labels().inc()
    assert [r.samples(SEEN), r.samples(SEEN)] == [{(): 16}, {(): 16}]


def test_mirrored_labels_pass_admission(rig: Rig) -> None:
    """Sources past the domain add up under ``_other``, and one of them leaving does not shrink it."""
    r = rig(*SIGNALS)
    readings = [dict.fromkeys("abcde", 1), dict.fromkeys("abcd", 2)]
    r.registry[POOLED].mirror(lambda: readings.pop(0))
    assert r.samples(POOLED)[("_other",)] == 2
    assert r.samples(POOLED)[("_other",)] == 3


# per-instance gauges


def test_instances_are_sampled_capped_and_vanish(rig: Rig) -> None:
    """One instance in two is exported, never more than the cap; the surplus is counted, and who leaves makes room."""
    r = rig(*SIGNALS)
    memory = r.registry[INSTANCE_MEMORY]
    instances = [f"inst_{ulid(number, number)}" for number in range(40)]
    for instance in instances:
        memory.labels(instance_id=instance, zone="hot").set(1)
    shown = [key[0] for key in r.samples(INSTANCE_MEMORY)]
    assert len(shown) == 4
    surplus = r.counted(METRIC_LABEL_OVERFLOW)[("instance_memory_bytes", "instance_id")]
    assert 0 < surplus < 36
    assert r.registry.forget("instance_id", shown[0]) == 1
    for instance in instances:
        if instance not in shown:
            memory.labels(instance_id=instance, zone="hot").set(2)
    assert sorted(r.samples(INSTANCE_MEMORY).values()) == [1, 1, 1, 2]


def test_what_is_no_instance_is_not_exported(rig: Rig) -> None:
    """A per-instance gauge has no ``_other``: a figure without its instance means nothing."""
    r = rig(*SIGNALS)
    r.registry[INSTANCE_MEMORY].labels(instance_id="db-1.internal", zone="hot").set(1)
    assert r.samples(INSTANCE_MEMORY) == {}
