"""One who follows sees every line once or is told how many it did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from obslib.access import Grant
from obslib.testing import FixedClock
from obslib.wire import LogGap
from obslib.workload import Limits, LogStore, Marker, Page, Record, Selection, Tail, told
from obslib.workload import tail as tail_module
from tests.workload.scene import EPOCH, Readers, org, stamped

FROM_NOW = Selection(env_id="env_1_prod", tail_lines=0)


class Following:
    """A tail that is read until nothing is left to read."""

    def __init__(self, store: LogStore, grant: Grant, clock: FixedClock, selection: Selection = FROM_NOW, **more: Any) -> None:
        self.throttled = 0
        self._tail = Tail(store, grant, selection, limits=Limits(), clock=clock, on_throttled=self._count, **more)
        self._chunks: Any = None
        self._is_first = True

    async def open(self) -> Following:
        """Begin."""
        self.begin = await self._tail.open()
        self._chunks = self._tail.chunks()
        return self

    async def rest(self) -> list[Record]:
        """Everything up to the first pause, at which a real reader would wait."""
        records: list[Record] = []
        async for chunk in self._chunks:
            records += chunk
            if not chunk and not self._is_first:
                break
            self._is_first = False
        return records

    def _count(self, lines: int) -> None:
        self.throttled += lines


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for more."""
    monkeypatch.setattr(tail_module, "_LOOK_EVERY_S", 0.001)


async def write(store: LogStore, first: int, last: int) -> None:
    """Lines ``first`` to ``last`` of one instance."""
    for start in range(first, last + 1, 500):
        await store.append(org(1), [stamped(n, f"{n}", at=n / 1_000) for n in range(start, min(start + 500, last + 1))])


def seqs(records: Sequence[Record]) -> list[int]:
    """The numbers of the lines among ``records``."""
    return [record.entry.seq for record in records if not isinstance(record, Marker)]


def markers(records: Sequence[Record]) -> list[tuple[str, str, int]]:
    """Kind, reason and count of the markers among ``records``."""
    return [(record.kind, record.reason, record.count) for record in records if isinstance(record, Marker)]


async def test_it_begins_with_as_many_as_asked_for(store: LogStore, readers: Readers, clock: FixedClock) -> None:
    """None, some, or all there are; then what comes."""
    await write(store, 1, 9)
    reader = await readers.of(1)
    tails = [await Following(store, reader, clock, replace(FROM_NOW, tail_lines=n)).open() for n in (0, 3, 100)]
    assert [seqs(await tail.rest()) for tail in tails] == [[], [7, 8, 9], list(range(1, 10))]
    await write(store, 10, 11)
    assert [seqs(await tail.rest()) for tail in tails] == [[10, 11]] * 3


async def test_who_comes_back_misses_nothing(store: LogStore, readers: Readers, clock: FixedClock) -> None:
    """From the last position seen, or from the beginning when none was; 10 000 lines are caught up at once, more are told."""
    reader = await readers.of(1)
    cut_off = await Following(store, reader, clock).open()
    await write(store, 1, 2_000)
    assert seqs(await (await Following(store, reader, clock, after=cut_off.begin).open()).rest()) == list(range(1, 2_001))
    back = await Following(store, reader, clock, after=1_500).open()
    assert seqs(await back.rest()) == list(range(1_501, 2_001))
    assert back.throttled == 0


async def test_a_flood_is_thinned_and_told(store: LogStore, readers: Readers, clock: FixedClock) -> None:
    """500 in the first second, the rest one marker with the exact number; what passes and what is told is all there was."""
    tail = await Following(store, await readers.of(1), clock).open()
    await write(store, 1, 500)
    assert len(seqs(await tail.rest())) == 500
    await write(store, 501, 501)
    assert await tail.rest() == []
    await write(store, 502, 1_700)
    clock.advance(1.1)
    found = await tail.rest()
    await write(store, 1_701, 1_701)
    clock.advance(1.1)
    found += await tail.rest()
    shown, told_of = seqs(found), markers(found)
    assert {kind for kind, _, _ in told_of} == {"lines_skipped"}
    assert len(shown) + sum(count for _, _, count in told_of) == 1_201
    assert tail.throttled == sum(count for _, _, count in told_of)
    assert shown == sorted(shown)
    assert shown[-1] == 1_701


async def test_a_marker_of_skipped_lines_is_nobodys_and_has_a_position(
    store: LogStore, readers: Readers, clock: FixedClock
) -> None:
    """A reader that breaks off there comes back behind what was skipped."""
    tail = await Following(store, await readers.of(1), clock).open()
    await write(store, 1, 510)
    found = await tail.rest()
    clock.advance(1.0)
    found += await tail.rest()
    members = told(found[-1])
    assert (members["kind"], members["count"], members["position"]) == ("lines_skipped", 10, 510)
    assert (members["instance_id"], members["seq"], members["env_id"]) == ("", 0, "env_1_prod")


async def test_a_hole_in_the_numbers_is_told(store: LogStore, readers: Readers, clock: FixedClock) -> None:
    """Between two lines of a boot, and not around a gap that the agent told of, nor where a text filter leaves holes."""
    reader = await readers.of(1)
    tail = await Following(store, reader, clock).open()
    filtered = await Following(store, reader, clock, replace(FROM_NOW, contains=b"line")).open()
    gap = LogGap(reason="buffer_full", lines=3)
    await store.append(org(1), [stamped(1, "line"), stamped(2, gap=gap), stamped(5, "line"), stamped(9, "line")])
    found = await tail.rest()
    assert (seqs(found), markers(found)) == ([1, 2, 5, 9], [("lines_missing", "store_damaged", 3)])
    assert [told(record)["seq"] for record in found] == [1, 2, 5, 6, 9]
    found = await filtered.rest()
    assert (seqs(found), markers(found)) == ([1, 5, 9], [])


async def test_it_ends_after_its_end(store: LogStore, readers: Readers, clock: FixedClock) -> None:
    """A stream with ``until`` gives what is before it and ends once nothing more can be."""
    await write(store, 1, 9)
    ending = replace(FROM_NOW, tail_lines=100, until=EPOCH + 0.0051)
    tail = Tail(store, await readers.of(1), ending, limits=Limits(), clock=clock)
    await tail.open()
    assert seqs([record async for chunk in tail.chunks() for record in chunk]) == [1, 2, 3, 4, 5]


async def test_a_beginning_too_large_for_one_answer_is_told(store: LogStore, readers: Readers, clock: FixedClock) -> None:
    """The newest that fit are there, and a marker before them says how many are not."""
    for first in range(1, 601, 100):
        await store.append(org(1), [stamped(n, b"x" * 16_384) for n in range(first, first + 100)])
    tail = await Following(store, await readers.of(1), clock, replace(FROM_NOW, tail_lines=600)).open()
    found = await tail.rest()
    assert markers(found[:1]) == [("lines_skipped", "answer_size", 88)]
    assert seqs(found) == list(range(89, 601))


async def test_a_reader_that_does_not_read_costs_nothing(
    store: LogStore, readers: Readers, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing is taken nothing is read ahead; then one page and the exact number of what was missed (R20)."""
    tail = await Following(store, await readers.of(1), clock).open()
    await tail.rest()
    pages: list[int] = []
    honest = type(store).read_after

    async def counted(self: LogStore, *arguments: Any, **more: Any) -> Page:
        page = await honest(self, *arguments, **more)
        pages.append(sum(len(found.entry.line) for found in page.entries))
        return page

    monkeypatch.setattr(type(store), "read_after", counted)
    for first in range(1, 2_001, 100):
        await store.append(org(1), [stamped(n, b"x" * 4_096) for n in range(first, first + 100)])
    assert pages == []
    clock.advance(60.0)
    found = await tail.rest()
    clock.advance(1.1)
    found += await tail.rest()
    assert max(pages) <= 1_048_576 + 4_096
    assert len(seqs(found)) == 500
    assert markers(found) == [("lines_skipped", "tail_rate", 1_500)]
