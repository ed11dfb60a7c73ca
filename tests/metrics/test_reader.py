"""Sources are read beside the scrape: one that hangs is left out, once, and everything else is there."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from obslib.catalog import counter, gauge
from obslib.catalog.common import METRIC_SOURCE_ERRORS
from obslib.metrics import reader as room
from obslib.metrics.reader import Reader
from obslib.metrics.sources import Source

Rig = Callable[..., Any]
NAME = "obslib-metrics-reader"


@gauge("depth", serves=("T",))
def DEPTH() -> None:
    """How deep."""


@gauge("height", serves=("T",))
def HEIGHT() -> None:
    """How high."""


@counter("drunk_total", serves=("T",))
def DRUNK() -> None:
    """Cups drunk."""


class Hanging:
    """A source that does not return before it is let go, and knows how often it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = threading.Event()

    def __call__(self) -> float:
        """Wait."""
        self.calls += 1
        self.go.wait(10)
        return 5.0


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Let go at the end."""
    source = Hanging()
    yield source
    source.go.set()


def source_of(read: Callable[[], object], failures: list[str] | None = None) -> Source:
    """A source of one figure that notes its failures."""
    return Source(read, width=0, failed=lambda: None if failures is None else failures.append("failed"))


def readers() -> set[threading.Thread]:
    """The threads that read sources now."""
    return {thread for thread in threading.enumerate() if thread.name == NAME}


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + 10
    while not is_so() and time.monotonic() < end:
        time.sleep(0.005)
    assert is_so()


def test_a_hanging_callback_never_takes_the_scrape_away(rig: Rig, hanging: Hanging) -> None:
    """It is absent and counted, everything else is exposed, and later scrapes neither call it again nor wait for it."""
    r = rig(DEPTH, HEIGHT, DRUNK)
    r.registry[DEPTH].callback(hanging)
    r.registry[HEIGHT].callback(lambda: 3)
    r.registry[DRUNK].mirror(lambda: 7)
    for scrape in (1, 2, 3):
        began = time.monotonic()
        text = r.registry.exposition()[0].decode()
        assert time.monotonic() - began < (3 if scrape == 1 else 0.9)
        assert 'height{component="shop"} 3.0' in text
        assert 'drunk_total{component="shop"} 7.0' in text
        assert "\ndepth{" not in text
        assert r.counted(METRIC_SOURCE_ERRORS)[("depth",)] == 2 * scrape
    assert hanging.calls == 1
    hanging.go.set()
    until(lambda: r.samples(DEPTH) == {(): 5.0})


def calls_of_ten_scrapes(hanging: Hanging) -> int:
    """How often a hanging source is called by ten scrapes."""
    reader, source = Reader(deadline_s=0.02, patience_s=0.01), source_of(hanging)
    for _ in range(10):
        assert reader.read([source]) == {source: {}}
    return hanging.calls


def test_a_source_that_has_not_returned_is_not_called_again(hanging: Hanging) -> None:
    """However many scrapes arrive, it holds one thread."""
    before = readers()
    assert calls_of_ten_scrapes(hanging) == 1
    assert len(readers() - before) <= 1


def test_mutant_that_forgets_what_is_under_way_piles_up(hanging: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a source again that has not returned and the test above would fail."""
    batch = room._Batch
    monkeypatch.setattr(room, "_Batch", lambda sources, _: batch(sources, set()))
    assert calls_of_ten_scrapes(hanging) > 1


def test_sources_that_answer_are_read_by_one_thread(hanging: Hanging) -> None:
    """A thread is made for the first scrape, not for each; one that was held up is replaced and ends when let go."""
    before, seen = readers(), set()
    reader = Reader(deadline_s=0.2, patience_s=0.02)
    quick = [source_of(lambda: seen.add(threading.get_ident())) for _ in range(20)]
    for _ in range(50):
        reader.read(quick)
    assert (len(seen), len(readers() - before)) == (1, 1)
    reader.read([source_of(hanging), *quick])
    assert len(seen) == 2
    hanging.go.set()
    until(lambda: len(readers() - before) <= 1)


def test_many_that_hang_end_with_the_deadline(hanging: Hanging) -> None:
    """All of them together get one deadline; whoever was not reached is asked by the next scrape."""
    failures: list[str] = []
    reader = Reader(deadline_s=0.1, patience_s=0.03)
    stuck = [source_of(hanging, failures) for _ in range(20)]
    began = time.monotonic()
    reader.read(stuck)
    assert time.monotonic() - began < 1
    assert len(failures) == 20
    assert hanging.calls < 20
    hanging.go.set()
    until(lambda: set(map(len, reader.read(stuck).values())) == {1})


def test_a_registry_nobody_holds_leaves_no_thread(rig: Rig) -> None:
    """The thread ends with its registry, and does not keep it."""
    before = readers()
    r = rig(DEPTH)
    r.registry[DEPTH].callback(lambda: 1)
    assert r.samples(DEPTH) == {(): 1.0}
    assert readers() - before
    gone = weakref.ref(r.registry)
    del r
    gc.collect()
    until(lambda: gone() is None and not readers() - before)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_reads_anew(hanging: Hanging) -> None:
    """A child has neither the thread nor the readings under way, so it reads all of them itself."""
    reader = Reader(deadline_s=0.5, patience_s=0.05)
    source, other = source_of(hanging), source_of(lambda: 1)
    reader.read([source, other])
    child = os.fork()
    if child == 0:
        hanging.go = threading.Event()
        hanging.go.set()
        os._exit(0 if reader.read([source, other]) == {source: {(): 5.0}, other: {(): 1}} else 1)
    assert os.waitpid(child, 0)[1] == 0
