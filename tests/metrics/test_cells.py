"""Handles lose no update, refuse what is not a number, and never raise."""

from __future__ import annotations

import bisect
import os
import random
import threading
from collections.abc import Callable
from decimal import Decimal
from math import inf, nan

import pytest

from obslib.catalog.common import TELEMETRY_GUARD_ERRORS
from obslib.guard import Guard
from obslib.metrics.cells import BoundCounter, BoundGauge, BoundHistogram, CellContext
from obslib.metrics.latch import Latch
from obslib.tally import Tally


class Hostile:
    """Raises wherever it is touched."""

    def __float__(self) -> float:
        raise RuntimeError("float")

    def __lt__(self, other: object) -> bool:
        raise RuntimeError("lt")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None


@pytest.fixture
def tally() -> Tally:
    """Where refusals are counted."""
    return Tally()


@pytest.fixture
def context(tally: Tally) -> CellContext:
    """What the cells of a family share."""
    return CellContext(family="m", guard=Guard(tally), latch=Latch(), now=lambda: 1_700_000_000.5)


def refused(tally: Tally) -> int:
    """How many values the guard counted."""
    return tally.cell(TELEMETRY_GUARD_ERRORS, kind="metrics").total


def in_threads(work: Callable[[], None], threads: int = 4) -> None:
    """Run ``work`` in several threads at once."""
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def test_no_update_is_lost_between_threads(context: CellContext) -> None:
    """Four threads count, measure and observe; every update is in the result, also while it is read."""
    counter, gauge, histogram = BoundCounter(context), BoundGauge(context), BoundHistogram(context, (1.0, 2.0))

    def work() -> None:
        for number in range(20_000):
            counter.inc()
            histogram.observe(number % 3)
            if number % 10 == 0:
                counter.inc(2)
                gauge.inc(3)
                gauge.dec()
            if number % 1_000 == 0:
                histogram.read()

    in_threads(work)
    read = histogram.read()
    assert counter.total == 4 * (20_000 + 2 * 2_000)
    assert gauge.value == 4 * 2_000 * 2
    assert read.cumulative == (4 * 13_334, 80_000, 80_000)
    assert read.sum == 4 * sum(number % 3 for number in range(20_000))


def test_the_thread_test_catches_a_mutant_that_is_not_atomic() -> None:
    """A counter that lets others in between reading and writing loses their updates."""
    between = threading.Barrier(4)

    class Torn:
        total = 0

        def inc(self) -> None:
            before = self.total
            between.wait(10)
            self.total = before + 1

    torn = Torn()
    in_threads(lambda: [torn.inc() for _ in range(50)] and None)
    assert torn.total < 4 * 50


@pytest.mark.parametrize("amount", [-1, nan, inf, "1", None, b"1", [], Hostile(), 10**400])
def test_a_counter_takes_only_growth(context: CellContext, tally: Tally, amount: object) -> None:
    """A counter never falls and never raises; what it refuses is counted."""
    counter = BoundCounter(context)
    counter.inc(amount)
    assert (counter.total, refused(tally)) == (0, 1)


def test_a_counter_adds_any_amount(context: CellContext) -> None:
    """Ones, floats, booleans, decimals and zero add up."""
    counter = BoundCounter(context)
    for amount in (1, 1.0, True, 2.5, Decimal("0.5"), 0):
        counter.inc(amount)
    counter.inc()
    assert counter.total == 7.0


@pytest.mark.parametrize("value", [nan, "1", None, Hostile(), 10**400])
def test_a_gauge_refuses_what_is_no_number(context: CellContext, tally: Tally, value: object) -> None:
    """A gauge keeps its value, or stays absent, when it is set or moved by nonsense."""
    gauge = BoundGauge(context)
    for change in (gauge.set, gauge.inc, gauge.dec):
        change(value)
    assert (gauge.value, refused(tally)) == (None, 3)


def test_histograms_agree_with_plain_counting(context: CellContext) -> None:
    """Counts per bucket and the sum are those of counting each observation by itself, at bounds as well."""
    bounds = (0.005, 0.25, 1.0, 10.0)
    draw = random.Random(3)
    values = [draw.choice([0, 0.005, 0.25, 1.0, 10, 11, draw.expovariate(1)]) for _ in range(3_000)]
    histogram = BoundHistogram(context, bounds)
    expected = [0] * 5
    for value in values:
        histogram.observe(value)
        for index in range(bisect.bisect_left(bounds, value), 5):
            expected[index] += 1
    read = histogram.read()
    assert read.cumulative == tuple(expected)
    assert read.sum == pytest.approx(sum(values))


def test_a_bad_observation_spoils_no_other(context: CellContext, tally: Tally) -> None:
    """Nonsense among observations is left out and counted; the rest of its batch is kept."""
    histogram = BoundHistogram(context, (1.0,))
    for value in (0.5, nan, -0.1, inf, "2", None, Hostile(), 10**400, 2):
        histogram.observe(value)
    read = histogram.read()
    assert (read.cumulative, read.sum, refused(tally)) == ((1, 2), 2.5, 7)


def test_a_histogram_holds_a_bounded_backlog(context: CellContext) -> None:
    """Observations are folded without a scrape, so that memory does not grow with them."""
    histogram = BoundHistogram(context, (1.0,))
    for _ in range(10_000):
        histogram.observe(0.5)
    assert len(histogram._pending) < 256


def test_each_bucket_shows_its_last_exemplar(context: CellContext) -> None:
    """An exemplar goes to the bucket of its value, dated, and a later one replaces it."""
    histogram = BoundHistogram(context, (1.0, 2.0))
    histogram.observe(0.5, {"trace_id": "a"})
    histogram.observe(0.6, {"trace_id": "b"})
    histogram.observe(9, exemplar={"trace_id": "c"})
    shown = {index: (dict(e.labels), e.value, e.timestamp) for index, e in histogram.read().exemplars.items()}
    assert shown == {0: ({"trace_id": "b"}, 0.6, 1_700_000_000.5), 2: ({"trace_id": "c"}, 9, 1_700_000_000.5)}


@pytest.mark.parametrize(
    "labels",
    [{"trace_id": "x" * 128}, {"trace-id": "a"}, {"trace_id": 7}, {"trace_id": "\ud800"}, ["trace_id"], "trace_id", {7: "a"}],
)
def test_an_exemplar_the_format_forbids_is_dropped(context: CellContext, tally: Tally, labels: object) -> None:
    """A bad exemplar is counted once and leaves the observation and every later scrape alone."""
    histogram = BoundHistogram(context, (1.0,))
    histogram.observe(0.5, labels)
    assert [histogram.read().exemplars, histogram.read().exemplars] == [{}, {}]
    assert (histogram.read().cumulative, refused(tally)) == ((1, 1), 1)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_never_waits_for_a_lock_left_behind(context: CellContext) -> None:
    """A lock that another thread held at the fork does not hang the child."""
    gauge = BoundGauge(context)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with context.latch.lock:
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    child = os.fork()
    if child == 0:
        gauge.set(1)
        os._exit(0 if gauge.value == 1 else 1)
    _, status = os.waitpid(child, 0)
    done.set()
    holder.join()
    assert status == 0


class Shapeless:
    """Cannot even be asked what it is."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)


class Strange(Exception):
    """Nobody's error."""


class Eccentric(float):
    """A float that fails as one."""

    def __float__(self) -> float:
        raise Strange


@pytest.mark.parametrize("make", [Hostile, Shapeless, lambda: Eccentric(1.5), lambda: 10**400])
def test_a_value_that_raises_when_asked_reaches_nobody(context: CellContext, tally: Tally, make: Callable[[], object]) -> None:
    """Whatever a value raises when it is looked at, each handle leaves it out and counts it once."""
    value = make()
    counter, gauge = BoundCounter(context), BoundGauge(context)
    counter.inc(value)
    gauge.set(value)
    gauge.inc(value)
    assert (counter.total, gauge.value, refused(tally)) == (0, None, 3)


def test_a_gauge_shows_the_float_it_was_set_to(context: CellContext, tally: Tally) -> None:
    """Floats take the short way to the same result; NaN does not take it."""
    gauge = BoundGauge(context)
    for value in (1.5, -inf, inf, 0.0, 7, True, Decimal("2.5")):
        gauge.set(value)
        assert gauge.value == value
    gauge.set(nan)
    assert (gauge.value, refused(tally)) == (2.5, 1)
