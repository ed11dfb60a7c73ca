"""A broken file is one org's trouble: nothing false is ever shown, the store goes on, and what is lost is told."""

from __future__ import annotations

import random
import shutil
import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from obslib.errors import LimitExceeded, SettingsError, StoreUnavailable
from obslib.testing import FixedClock
from obslib.workload import Damage, Marker, Selection, SqliteLogStore, query, rows
from tests.workload.scene import Readers, org, stamp, stamped

LINES = 120
EVERYTHING = {number: Selection(env_id=f"env_{number}_prod", tail_lines=10_000) for number in (1, 2)}


@pytest.fixture
async def whole(tmp_path: Path, clock: FixedClock) -> Path:
    """A directory with the files of two orgs, of two instances each."""
    store = SqliteLogStore(tmp_path / "whole", clock=clock)
    for number in (1, 2):
        for instance in ("inst_1", "inst_2"):
            lines = [
                stamped(n, line_of(number, instance, n), instance=instance, where=stamp(number)) for n in range(1, LINES + 1)
            ]
            await store.append(org(number), lines)
    await store.close()
    return tmp_path / "whole"


def line_of(number: int, instance: str, n: int) -> str:
    """What was written, so that it can be told from anything else."""
    return f"{org(number)} {instance} wrote line {n} of many, with some more text to fill a page"


class Reopened:
    """A store on a copy of the whole files, of which the first org's has been harmed."""

    def __init__(self, whole: Path, directory: Path, harm: Any, clock: FixedClock) -> None:
        shutil.copytree(whole, directory)
        self.path = directory / f"{org(1)}.sqlite"
        self.path.write_bytes(harm(self.path.read_bytes()))
        self.damage: list[Damage] = []
        self.store = SqliteLogStore(directory, clock=clock, on_damage=self.damage.append)

    async def answer(self, readers: Readers, number: int) -> Sequence[Any]:
        """All that can be read of one org."""
        return await query(self.store, await readers.of(number), EVERYTHING[number])


def judge(found: Sequence[Any], number: int) -> tuple[int, int]:
    """How many lines are there and how many are told as missing; fails when one is false, foreign, twice or out of order."""
    last: dict[str, int] = {}
    there = missing = 0
    for record in found:
        entry = record.before.entry if isinstance(record, Marker) else record.entry
        if isinstance(record, Marker):
            assert record.kind == "lines_missing"
            missing += record.count
            continue
        assert entry.line.decode() == line_of(number, entry.instance_id, entry.seq)
        assert record.stamp == stamp(number)
        assert entry.seq > last.get(entry.instance_id, 0)
        last[entry.instance_id] = entry.seq
        there += 1
    return there, missing


def flipped(content: bytes, chance: random.Random) -> bytes:
    """With one to four bits turned over."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(content: bytes, chance: random.Random) -> bytes:
    """Without its end."""
    return content[: chance.randrange(len(content))]


async def harmed(whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock, rounds: int, seed: int) -> dict[str, int]:
    """Harm the first org's file again and again; what became of it. Every promise is checked in every round."""
    chance, ends = random.Random(seed), {"unharmed": 0, "in part": 0, "empty": 0}
    for each in range(rounds):
        harm = chance.choice([flipped, flipped, cut])
        reopened = Reopened(whole, tmp_path / f"round-{each}", lambda content, harm=harm: harm(content, chance), clock)
        there, missing = judge(await reopened.answer(readers, 1), 1)
        assert judge(await reopened.answer(readers, 2), 2) == (2 * LINES, 0)
        if there < 2 * LINES:
            assert reopened.damage or missing, f"round {each} of seed {seed} lost lines without a word"
        assert {damage.org_id for damage in reopened.damage} <= {org(1)}
        last = stamped(LINES + 1, line_of(1, "inst_1", LINES + 1))
        assert (await reopened.store.append(org(1), [last])).stored == 1
        assert judge(await reopened.answer(readers, 1), 1)[0] >= 1
        await reopened.store.close()
        shutil.rmtree(tmp_path / f"round-{each}")
        ends["unharmed" if there == 2 * LINES else "in part" if there else "empty"] += 1
    return ends


async def test_whatever_is_cut_or_flipped(whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock) -> None:
    """It starts, shows nothing that was not written, takes new lines, and leaves the other org alone (R15)."""
    ends = await harmed(whole, tmp_path, readers, clock, rounds=10, seed=15)
    assert ends["in part"] > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_whatever_is_cut_or_flipped_a_thousand_times(
    whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock
) -> None:
    """The same at length."""
    ends = await harmed(whole, tmp_path, readers, clock, rounds=1_000, seed=16)
    assert min(ends.values()) > 0, ends


async def test_mutant_without_checksums_is_caught(
    whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that believes every row shows lines that were never written, and the judge sees it."""
    letter = lambda content: content.replace(b"line 7 of many", b"line 8 of many")  # noqa: E731
    reopened = Reopened(whole, tmp_path / "harmed", letter, clock)
    monkeypatch.setattr(rows, "_checksum", _Agreeable())
    with pytest.raises(AssertionError):
        judge(await reopened.answer(readers, 1), 1)
    await reopened.store.close()


class _Agreeable:
    """A checksum that is whatever it is compared with."""

    def __call__(self, numbers: Sequence[Any], line: bytes, gap: bytes, seed: int) -> Any:
        return self

    def __ne__(self, other: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


async def test_a_changed_letter_is_known(whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock) -> None:
    """Two records that are well-formed and not what was written: left out, counted, told, and a marker in their place."""
    letter = lambda content: content.replace(b"line 7 of many", b"line 8 of many")  # noqa: E731
    reopened = Reopened(whole, tmp_path / "harmed", letter, clock)
    assert judge(await reopened.answer(readers, 1), 1) == (2 * LINES - 2, 2)
    assert reopened.damage == [Damage(org_id=org(1), kind="record", lines=2, detail="a record is not what was written")]
    await reopened.store.close()


async def test_a_file_under_another_orgs_name_shows_nothing(
    whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock
) -> None:
    """Two files that were swapped, by a restore or by malice, are two files of damaged records."""
    theirs = (whole / f"{org(2)}.sqlite").read_bytes()
    reopened = Reopened(whole, tmp_path / "swapped", lambda _: theirs, clock)
    reader = await readers.of(1)
    for number in (1, 2):
        page = await reopened.store.query(reader, EVERYTHING[number])
        assert list(page.entries) == []
    assert reopened.damage[0].kind == "record"
    await reopened.store.close()


async def test_a_broken_file_is_kept_aside_and_a_readers_place_stays_good(
    whole: Path, tmp_path: Path, readers: Readers, clock: FixedClock
) -> None:
    """What follows the damage has positions after all that were given before, so no follower is left behind."""
    reopened = Reopened(whole, tmp_path / "harmed", lambda content: content[: len(content) // 2], clock)
    there, _ = judge(await reopened.answer(readers, 1), 1)
    assert 0 <= there < 2 * LINES
    [damage] = [each for each in reopened.damage if each.kind == "file"]
    assert (reopened.path.parent / f"{reopened.path.name}.damaged-1").exists()
    assert f"{there} records were kept" in damage.detail
    await reopened.store.append(org(1), [stamped(LINES + 1, line_of(1, "inst_1", LINES + 1))])
    reader = await readers.of(1)
    page = await reopened.store.read_after(reader, EVERYTHING[1], 2 * LINES, limit=10)
    while not page.entries:
        page = await reopened.store.read_after(reader, EVERYTHING[1], page.position, limit=10)
    assert [found.entry.seq for found in page.entries] == [LINES + 1]
    await reopened.store.close()


async def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    """A second process is refused with what to do; a released directory is free."""
    store = SqliteLogStore(tmp_path)
    with pytest.raises(
        SettingsError, match=r"another process, writes the workload logs in .*; stop it, or name another directory"
    ):
        SqliteLogStore(tmp_path)
    await store.close()
    await SqliteLogStore(tmp_path).close()


async def test_files_are_for_their_owner_alone(tmp_path: Path, clock: FixedClock) -> None:
    """0600 for every file, 0700 for the directory, also while the store is open."""
    store = SqliteLogStore(tmp_path / "logs", clock=clock)
    await store.append(org(1), [stamped(1)])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "logs").iterdir()}
    assert len(modes) >= 3
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700
    await store.close()


async def test_few_files_are_open_however_many_orgs_there_are(tmp_path: Path, clock: FixedClock, readers: Readers) -> None:
    """The longest idle ones are closed, and open again when they are asked for."""
    store = SqliteLogStore(tmp_path, clock=clock, most_open=4)
    for number in range(1, 9):
        await store.append(org(number), [stamped(1, f"{number}", where=stamp(number))])
    assert len(store._files) <= 4
    for number in range(1, 9):
        page = await store.query(await readers.of(number), Selection(env_id=f"env_{number}_prod"))
        assert [found.entry.line for found in page.entries] == [f"{number}".encode()]
    await store.close()


async def test_a_full_disk_is_said_and_passes(tmp_path: Path, clock: FixedClock, readers: Readers) -> None:
    """Nothing is acknowledged while there is no room; what was stays readable, and the same batch goes in afterwards."""
    store = SqliteLogStore(tmp_path, clock=clock)
    await store.append(org(1), [stamped(1, "first")])
    file = store._files[org(1)]
    file._writer.execute("PRAGMA max_page_count = 1")
    batch = [stamped(n, "x" * 10_000) for n in range(2, 30)]
    with pytest.raises(StoreUnavailable, match="cannot be used at the moment: database or disk is full"):
        await store.append(org(1), batch)
    assert len((await store.query(await readers.of(1), EVERYTHING[1])).entries) == 1
    file._writer.execute("PRAGMA max_page_count = 1000000")
    assert (await store.append(org(1), batch)).stored == 28
    await store.close()


async def test_a_query_that_takes_too_long_is_stopped_and_said(tmp_path: Path, clock: FixedClock, readers: Readers) -> None:
    """So that one reader's search cannot hold the store; the next one is served."""
    store = SqliteLogStore(tmp_path, clock=clock)
    await store.append(org(1), [stamped(n, "x" * 200) for n in range(1, 4_000)])
    file = store._files[org(1)]
    file._slowest_s = -1.0
    search = Selection(env_id="env_1_prod", contains=b"needle", tail_lines=10_000)
    with pytest.raises(LimitExceeded, match=r"took longer than .* s; ask for less time, or leave the text filter out"):
        await store.query(await readers.of(1), search)
    file._slowest_s = 60.0
    assert list((await store.query(await readers.of(1), search)).entries) == []
    await store.close()


async def test_old_lines_give_their_room_back(tmp_path: Path, clock: FixedClock) -> None:
    """After a purge the file is small again."""
    store = SqliteLogStore(tmp_path, clock=clock)
    await store.append(org(1), [stamped(n, b"x" * 10_000) for n in range(1, 400)])
    assert await store.purge(clock.now() + 1) == 399
    await store.close()
    path = tmp_path / f"{org(1)}.sqlite"
    assert path.stat().st_size < 100_000
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
