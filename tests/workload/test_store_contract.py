"""What every LogStore promises; each test runs on each backend of ``conftest.BACKENDS``."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obslib.access import Scope
from obslib.errors import AccessDenied, SelectionError
from obslib.wire import LogGap
from obslib.workload import LogStore, Page, Selection, StampedEntry
from tests.workload.scene import EPOCH, Readers, entry, org, stamp, stamped

PROD = Selection(env_id="env_1_prod")


def told(page: Page) -> list[str]:
    """The lines of an answer."""
    return [found.entry.line.decode() for found in page.entries]


async def keep(store: LogStore, *entries: StampedEntry, of: int = 1) -> None:
    """Append what is new."""
    await store.append(org(of), entries)


async def test_an_entry_comes_back_as_it_was(store: LogStore, readers: Readers) -> None:
    """Bytes, time, stream, truncation, gap and stamp: all of it, and nothing else."""
    entries = [
        entry(1, b"plain", at=0.000001),
        entry(2, b"\x00\xff\x1b[31m\r", stream="stderr", truncated=True, at=1),
        entry(3, gap=LogGap(reason="buffer_full", lines=4, bytes=12, is_exact=False), at=2),
    ]
    await store.append(org(1), [StampedEntry(stamp(), one) for one in entries])
    page = await store.query(await readers.of(1), PROD)
    assert [found.entry for found in page.entries] == entries
    assert {found.stamp for found in page.entries} == {stamp()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=60), min_size=1, max_size=20))
async def test_any_bytes_come_back(store: LogStore, readers: Readers, lines: list[bytes]) -> None:
    """Whatever a workload writes is stored as it was written (R11)."""
    boot = f"boot_{random.Random(repr(lines)).random()}"
    await keep(store, *(stamped(n, line, boot_id=boot) for n, line in enumerate(lines, 1)))
    page = await store.query(await readers.of(1), replace(PROD, tail_lines=10_000))
    assert [found.entry.line for found in page.entries if found.entry.boot_id == boot] == lines


async def test_an_entry_sent_again_is_recognised(store: LogStore, readers: Readers) -> None:
    """By (instance, boot, seq), in one batch and over batches; the first one stays."""
    first = await store.append(org(1), [stamped(1, "a"), stamped(2, "b"), stamped(2, "other")])
    assert ([found.seq for found in first.fresh], first.duplicates) == ([1, 2], 1)
    again = await store.append(org(1), [stamped(2, "other"), stamped(3, "c"), stamped(1, "x", boot_id="boot_2")])
    assert (again.stored, again.duplicates) == (2, 1)
    assert told(await store.query(await readers.of(1), PROD)) == ["a", "b", "c", "x"]


async def test_an_append_of_nothing_is_nothing(store: LogStore, readers: Readers) -> None:
    """And an org without lines reads as empty."""
    assert (await store.append(org(1), [])).stored == 0
    reader = await readers.of(1)
    assert (await store.query(reader, PROD)).entries == ()
    assert (await store.read_after(reader, PROD, 7, limit=10)).position == 7
    assert await store.position(reader) == 0


@pytest.mark.parametrize(
    ("narrowed", "lines"),
    [
        ({}, ["a1", "b1", "a2", "w1"]),
        ({"process_type": "worker"}, ["w1"]),
        ({"process_type": "nobody"}, []),
        ({"instance_id": "inst_a"}, ["a1", "a2"]),
        ({"instance_id": "inst_other"}, []),
        ({"instance_id": "inst_a", "process_type": "worker"}, []),
        ({"since": EPOCH + 1}, ["b1", "a2", "w1"]),
        ({"until": EPOCH + 1}, ["a1"]),
        ({"since": EPOCH + 1, "until": EPOCH + 3}, ["b1", "a2"]),
        ({"tail_lines": 2}, ["a2", "w1"]),
        ({"tail_lines": 1, "until": EPOCH + 1}, ["a1"]),
        ({"contains": b"a"}, ["a1", "a2"]),
        ({"env_id": "env_1_staging"}, ["s1"]),
        ({"env_id": "env_1_nothing"}, []),
    ],
)
async def test_a_selection_narrows(store: LogStore, readers: Readers, narrowed: dict[str, Any], lines: list[str]) -> None:
    """By env, process type, instance, time and text, each alone and together (WLG-01 to WLG-04)."""
    await keep(
        store,
        stamped(1, "a1", instance="inst_a"),
        stamped(1, "b1", instance="inst_b", at=1),
        stamped(2, "a2", instance="inst_a", at=2),
        stamped(1, "w1", instance="inst_w", at=3, where=stamp(process_type="worker")),
        stamped(1, "s1", instance="inst_s", at=4, where=stamp(env="staging")),
    )
    reader = await readers.of(1)
    wanted = replace(PROD, **narrowed)
    assert told(await store.query(reader, wanted)) == lines
    if "tail_lines" not in narrowed:
        assert told(await store.read_after(reader, wanted, 0, limit=100)) == lines


async def test_an_instance_keeps_its_order_when_its_clock_steps(store: LogStore, readers: Readers) -> None:
    """An hour back and an hour forth: the lines stay as they were numbered, boot after boot (R21)."""
    times = [0.0, -3_600.0, 3_600.0, 10.0, -7_200.0]
    await keep(store, *(stamped(n, f"{n}", at=at) for n, at in enumerate(times, 1)))
    await keep(store, stamped(1, "again", at=-9_000, boot_id="boot_2"))
    reader = await readers.of(1)
    assert told(await store.query(reader, PROD)) == ["1", "2", "3", "4", "5", "again"]
    assert told(await store.query(reader, replace(PROD, tail_lines=2))) == ["5", "again"]
    assert told(await store.query(reader, replace(PROD, until=EPOCH + 3_601))) == ["1", "2", "3", "4", "5", "again"]


async def test_lines_that_come_late_are_put_in_their_place(store: LogStore, readers: Readers) -> None:
    """A query has them in the order of their numbers, whatever order they came in."""
    await keep(store, stamped(3, "3", at=3), stamped(1, "1", at=1))
    await keep(store, stamped(2, "2", at=2), stamped(1, "x", instance="inst_2", at=2.5))
    lines = told(await store.query(await readers.of(1), PROD))
    assert [line for line in lines if line != "x"] == ["1", "2", "3"]


async def test_a_reader_that_follows_sees_each_line_once(store: LogStore, readers: Readers) -> None:
    """Page after page by position, in the order of arrival, while lines of several envs arrive."""
    reader, seen, position = await readers.of(1), [], 0
    for n in range(1, 30):
        await keep(store, stamped(n, f"{n}"), stamped(n, "elsewhere", instance="inst_s", where=stamp(env="staging")))
        if n % 3 == 0:
            page = await store.read_after(reader, PROD, position, limit=2)
            position, seen = page.position, seen + told(page)
    while (page := await store.read_after(reader, PROD, position, limit=2)).position != position:
        position, seen = page.position, seen + told(page)
    assert seen == [str(n) for n in range(1, 30)]
    assert position == await store.position(reader)


async def test_one_who_waits_is_called(store: LogStore, readers: Readers) -> None:
    """An append ends the wait at once; one that came between the look and the wait is not missed."""
    reader = await readers.of(1)
    waiting = asyncio.create_task(store.wait(reader, 0, timeout_s=60))
    await asyncio.sleep(0)
    await keep(store, stamped(1))
    await asyncio.wait_for(waiting, 30)
    await asyncio.wait_for(store.wait(reader, 0, timeout_s=60), 30)
    await store.wait(reader, await store.position(reader), timeout_s=0.001)


async def test_an_answer_has_a_bound_in_bytes(store: LogStore, readers: Readers) -> None:
    """The newest that fit are there, the rest is counted."""
    big = b"x" * 16_384
    for first in range(1, 601, 100):
        await keep(store, *(stamped(n, big) for n in range(first, first + 100)))
    page = await store.query(await readers.of(1), replace(PROD, tail_lines=600))
    assert [found.entry.seq for found in page.entries] == list(range(89, 601))
    assert page.left_out == 88


async def test_what_is_old_is_forgotten_and_nothing_else(store: LogStore, readers: Readers) -> None:
    """In every org; what was forgotten is not taken for new places in the order."""
    for number in (1, 2):
        where = stamp(number)
        await keep(store, *(stamped(n, f"{n}", at=n, where=where) for n in range(1, 11)), of=number)
    assert await store.purge(EPOCH + 5) == 8
    assert await store.purge(EPOCH + 5) == 0
    for number in (1, 2):
        reader = await readers.of(number)
        assert told(await store.query(reader, Selection(env_id=f"env_{number}_prod"))) == [str(n) for n in range(5, 11)]
    before = await store.position(await readers.of(1))
    assert await store.purge(EPOCH + 100) == 12
    await keep(store, stamped(11, "11", at=200))
    assert await store.position(await readers.of(1)) == before + 1


NO_SELECTION = [
    ({"tail_lines": -1}, "tail_lines is -1; it must be a whole number from 0 to 9223372036854775807"),
    ({"tail_lines": 1.5}, "tail_lines is 1.5; it must be a whole number"),
    ({"tail_lines": 10**5_000}, "tail_lines is a number of more than 64 bits; it must be a whole number"),
    ({"since": math.nan}, "since is nan; it must be a time in Unix seconds, between the years 1 and 9999"),
    ({"until": math.inf}, "until is inf; it must be a time"),
    ({"since": -1e300}, "since is -1e+300; it must be a time"),
]


@pytest.mark.parametrize(("asked", "sentence"), NO_SELECTION)
def test_a_selection_of_what_does_not_exist_is_refused(asked: dict[str, Any], sentence: str) -> None:
    """In one sentence, before any store is asked, wherever it is made or changed."""
    for make in (lambda: replace(PROD, **asked), lambda: Selection(env_id="env_1_prod", **asked)):
        with pytest.raises(SelectionError) as refused:
            make()
        assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("position", "limit", "sentence"),
    [
        (0, 0, "limit is 0; it must be a whole number from 1 to 9223372036854775807"),
        (0, -1, "limit is -1; it must be"),
        (-1, 10, "position is -1; it must be a whole number from 0 to"),
        (10**30, 10, "position is a number of more than 64 bits; it must be"),
    ],
)
async def test_a_place_and_a_page_that_are_none_are_refused(
    store: LogStore, readers: Readers, position: int, limit: int, sentence: str
) -> None:
    """A page of nothing would put its reader behind lines that it has never seen."""
    await keep(store, stamped(1, "a"))
    reader = await readers.of(1)
    with pytest.raises(SelectionError) as refused:
        await store.read_after(reader, PROD, position, limit=limit)
    assert str(refused.value).startswith(sentence)


async def test_only_a_grant_for_logs_opens_it(store: LogStore, readers: Readers) -> None:
    """Another scope opens nothing, wherever it is tried (WLG-09)."""
    await keep(store, stamped(1, "secret"))
    other = await readers.of(1, Scope.EVENTS_READ)
    for attempt in (
        store.query(other, PROD),
        store.read_after(other, PROD, 0, limit=1),
        store.position(other),
        store.wait(other, 0, timeout_s=0),
    ):
        with pytest.raises(AccessDenied, match="'logs:read'"):
            await attempt


async def test_an_entry_of_another_org_is_refused(store: LogStore) -> None:
    """What is stamped for one org cannot be appended to another; what is no org has no place."""
    with pytest.raises(ValueError, match="stamped with another org than"):
        await store.append(org(2), [stamped(1)])
    with pytest.raises(ValueError, match=r"'\.\./x' is not the id of an org"):
        await store.append("../x", [stamped(1, where=replace(stamp(), org_id="../x"))])


async def foreign_rows(store: LogStore, readers: Readers, *, orgs: int, operations: int, seed: int) -> int:
    """Append and read at random in many orgs; the number of entries read by one org and marked for another. Should be 0."""
    chance, foreign = random.Random(seed), 0
    sequences = dict.fromkeys(range(1, orgs + 1), 0)
    for _ in range(operations):
        number, other = chance.randint(1, orgs), chance.randint(1, orgs)
        if chance.random() < 0.4:
            start = sequences[number]
            sequences[number] += chance.randint(1, 5)
            marked = [
                stamped(n, f"of {org(number)}", instance=f"inst_{n % 3}", where=stamp(number))
                for n in range(start + 1, sequences[number] + 1)
            ]
            await store.append(org(number), marked)
            continue
        reader = await readers.of(number)
        selection = Selection(
            env_id=f"env_{other}_prod", instance_id=chance.choice(["", "inst_1"]), contains=chance.choice([b"", b"of"])
        )
        pages = [await store.query(reader, selection), await store.read_after(reader, selection, 0, limit=50)]
        rows: Sequence[Any] = [found for page in pages for found in page.entries]
        foreign += sum(org(number).encode() not in found.entry.line or found.stamp.org_id != org(number) for found in rows)
    return foreign


async def test_no_org_reads_another(store: LogStore, readers: Readers) -> None:
    """Random orgs, envs and instances, the other's ids included: 0 foreign rows (R7)."""
    assert await foreign_rows(store, readers, orgs=8, operations=100, seed=7) == 0


@pytest.mark.slow
async def test_no_org_reads_another_in_the_long_run(store: LogStore, readers: Readers) -> None:
    """More orgs than files that may be open at once, and 3 000 operations: 0 foreign rows (R7)."""
    assert await foreign_rows(store, readers, orgs=50, operations=3_000, seed=8) == 0


async def test_mutant_the_org_from_the_filter_is_caught(
    store: LogStore, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that reads the org which the selected env belongs to, and not the grant's, shows foreign rows."""
    honest = type(store).query

    async def by_filter(self: LogStore, grant: Any, selection: Selection) -> Page:
        return await honest(self, await readers.of(int(selection.env_id.split("_")[1])), selection)

    monkeypatch.setattr(type(store), "query", by_filter)
    assert await foreign_rows(store, readers, orgs=8, operations=30, seed=7) > 0


async def test_a_closed_store_says_so(store: LogStore) -> None:
    """Closing twice is once; after it nothing is taken."""
    await store.close()
    await store.close()
    with pytest.raises(OSError, match="the store of workload logs is closed"):
        await store.append(org(1), [stamped(1)])
