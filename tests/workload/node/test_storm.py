"""Every line is in the receiver once and in order, or covered by exactly one gap, whatever is killed or lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from obslib.wire import LogAck, LogBatch, LogGap
from obslib.wire.workload_log import Stream
from obslib.workload.node import Bounds, Spool, giving_up, outbox, spool
from obslib.workload.node.giving_up import GivenUp, give_up
from obslib.workload.node.look import Look, Place
from tests.workload.node.mortal import Life, mortal
from tests.workload.node.storm import TIGHT, Storm


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    """The life of whatever uses SQLite in this test. A look may always keep half of so tight a bound."""
    monkeypatch.setattr(spool, "_ALWAYS", 2)
    with mortal() as life:
        yield life


@pytest.mark.parametrize("seed", range(5))
async def test_every_line_arrives_once_or_is_covered_by_one_gap(tmp_path: Path, life: Life, seed: int) -> None:
    """Kills at any statement, lost calls, lost answers, a full spool and writers beyond their rate, all at once."""
    storm = Storm(tmp_path, seed, life)
    await storm.blow(400)
    await storm.settle()
    dropped = storm.spool.totals.dropped_lines
    assert storm.lives > 5
    assert [dropped[reason] > 0 for reason in ("buffer_full", "rate_limited", "rejected")] == [True] * 3


async def test_with_room_enough_nothing_is_missing_at_all(tmp_path: Path, life: Life) -> None:
    """Kills and lost answers alone cost no line: there is not one gap."""
    storm = Storm(tmp_path, 1, life, Bounds())
    storm.steps = 100  # nobody is rejected
    await storm.blow(400)
    await storm.settle()
    assert sum(storm.spool.totals.dropped_lines.values()) == 0


# --- what the storm would catch -------------------------------------------------------------------


async def is_caught(home: Path, life: Life, bounds: Bounds = TIGHT) -> bool:
    """Whether one of a few storms finds the node at fault."""
    for seed in range(6):
        (home / str(seed)).mkdir()
        storm = Storm(home / str(seed), seed, life, bounds)
        try:
            await storm.blow(250)
            await storm.settle()
        except (AssertionError, KeyError):
            return True
    return False


async def test_mutant_a_position_that_moves_before_its_lines(
    tmp_path: Path, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the two loses lines without a trace."""
    keep = Spool.keep

    def torn(self: Spool, boot_id: str, look: Look) -> None:
        keep(self, boot_id, replace(look, lines=(), surplus=None))
        keep(self, boot_id, look)

    monkeypatch.setattr(Spool, "keep", torn)
    assert await is_caught(tmp_path, life)


async def test_mutant_lines_that_come_before_their_position(
    tmp_path: Path, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the two repeats lines."""
    keep = Spool.keep

    def torn(self: Spool, boot_id: str, look: Look) -> None:
        before = self.standing(boot_id, look.stream)
        keep(self, boot_id, replace(look, place=before.place if before else Place()))
        keep(self, boot_id, replace(look, lines=(), gone=None, surplus=None))

    monkeypatch.setattr(Spool, "keep", torn)
    assert await is_caught(tmp_path, life)


async def test_mutant_a_spool_that_lets_go_before_the_answer(
    tmp_path: Path, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is acknowledged before it is durable is lost with the call."""
    take_batch = Spool.batch

    def hasty(self: Spool) -> LogBatch | None:
        batch = take_batch(self)
        if batch is not None:
            self.acknowledge(batch, LogAck(stored=len(batch.entries)))
        return batch

    monkeypatch.setattr(Spool, "batch", hasty)
    assert await is_caught(tmp_path, life)


async def test_mutant_a_drop_that_leaves_no_gap(tmp_path: Path, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are given up without a marker leave a hole in the numbers."""

    def silent(db: sqlite3.Connection, instance_id: str, **surplus: int) -> list[GivenUp]:
        runs = give_up(db, instance_id, **surplus)
        for run in runs:
            db.execute("DELETE FROM entries WHERE boot = ? AND reason = 'buffer_full'", (run.boot,))
        return runs

    monkeypatch.setattr(spool, "give_up", silent)
    assert await is_caught(tmp_path, life)


async def test_mutant_a_drop_of_what_is_under_way(tmp_path: Path, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap over lines that may have arrived contradicts them."""
    oldest_run = giving_up._oldest_run
    monkeypatch.setattr(giving_up, "_oldest_run", lambda db, boot, _, rows, over: oldest_run(db, boot, 0, rows, over))
    assert await is_caught(tmp_path, life)


async def test_mutant_a_batch_that_grows_while_it_is_under_way(
    tmp_path: Path, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap that was sent and then grows is another gap under the same number."""
    monkeypatch.setattr(outbox, "_GAP_PATIENCE_S", 0.0)
    append_gap = Spool._append_gap

    def careless(self: Spool, db: sqlite3.Connection, boot: int, stream: Stream, gap: LogGap) -> None:
        [(sent_seq,)] = db.execute("SELECT sent_seq FROM boots WHERE boot = ?", (boot,))
        db.execute("UPDATE boots SET sent_seq = 0 WHERE boot = ?", (boot,))
        append_gap(self, db, boot, stream, gap)
        db.execute("UPDATE boots SET sent_seq = ? WHERE boot = ?", (sent_seq, boot))

    monkeypatch.setattr(Spool, "_append_gap", careless)
    assert await is_caught(tmp_path, life, replace(TIGHT, tokens_per_second=0.1))
