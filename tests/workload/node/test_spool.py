"""The spool keeps its bounds, is fair, says what it gave up, and outlives its disk."""

from __future__ import annotations

import random
import sqlite3
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest

from obslib.wire import LogAck
from obslib.workload.node import Bounds, NotAcknowledged, Spool, SpoolUnavailable
from obslib.workload.node.account import Account
from obslib.workload.node.seal import check
from tests.workload.node.console_files import ConsoleFiles

QUIET = [f"quiet{n}" for n in range(10)]


async def flood(node: ConsoleFiles) -> None:
    """Eight seconds of one instance at 100 times its rate beside ten that write a line in each pass; nothing goes out."""
    node.open("loud", *QUIET)
    for second in range(8):
        for part in range(5):
            node.write("loud", *[b"noise"] * 2_000)
            for name in QUIET:
                node.write(name, b"%d.%d" % (second, part))
            node.look()
            node.clock.advance(0.2)


async def test_quiet_instances_lose_nothing_beside_one_that_floods(tmp_path: Path) -> None:
    """In a storm and an outage at once, only the loud instance loses lines, every one of them in a gap."""
    node = ConsoleFiles(tmp_path, Bounds(lines_per_instance=500, spool_bytes=300_000, tokens_per_second=100, burst=100))
    await flood(node)
    assert node.spool.totals.buffer_bytes <= 300_000
    await node.forward()

    for name in QUIET:
        assert node.receiver.lines(f"boot_{name}") == [b"%d.%d" % (n // 5, n % 5) for n in range(40)]
        assert node.receiver.gaps(f"boot_{name}") == []
    lost = sum(lines for _, lines in node.receiver.gaps("boot_loud"))
    assert lost + len(node.receiver.lines("boot_loud")) == 80_000
    assert {reason for reason, _ in node.receiver.gaps("boot_loud")} == {"rate_limited", "buffer_full"}
    node.spool.check()
    assert node.spool.totals.unaccounted_lines == 0


async def test_mutant_a_spool_that_drops_the_oldest_of_all_is_unfair(tmp_path: Path) -> None:
    """Were the victim chosen without looking at sizes, quiet instances would pay for the loud one."""
    node = ConsoleFiles(tmp_path, Bounds(spool_bytes=100_000, tokens_per_second=1_000, burst=1_000))
    with mock.patch.object(Account, "biggest", lambda self: min(self.held.values(), key=lambda held: held.size).instance_id):
        await flood(node)
    await node.forward()
    assert any(node.receiver.gaps(f"boot_{name}") for name in QUIET)


@pytest.mark.parametrize("bounds", [Bounds(lines_per_instance=100), Bounds(spool_bytes=100 * 107)])
async def test_an_outage_leaves_one_marker_for_what_did_not_fit(tmp_path: Path, bounds: Bounds) -> None:
    """However often the spool overflows, the lines that are missing in a row are told once."""
    node = ConsoleFiles(tmp_path, bounds)
    node.open("a")
    for number in range(400):
        node.write("a", b"%07d" % number)
        node.look()
    assert node.spool.totals.waiting_lines == 99
    assert node.spool.totals.dropped_lines["buffer_full"] == 301
    await node.forward()

    assert node.receiver.gaps("boot_a") == [("buffer_full", 301)]
    assert node.receiver.lines("boot_a") == [b"%07d" % number for number in range(301, 400)]


async def test_a_backlog_that_no_agent_read_is_captured_at_the_pace_at_which_it_goes_out(tmp_path: Path) -> None:
    """Lines that are safe in their console do not push each other out of the spool."""
    node = ConsoleFiles(tmp_path, Bounds(lines_per_instance=500, burst=100, tokens_per_second=100))
    node.open("a")
    node.look()
    node.clock.advance(60.0)
    written = [b"%d" % n for n in range(5_000)]
    node.write("a", *written)
    passes = 0
    while node.capture.finish("boot_a"):
        await node.forwarder.step()
        passes += 1
    await node.forward()
    assert node.receiver.lines("boot_a") == written
    assert node.receiver.gaps("boot_a") == []
    assert passes < 40


async def test_an_instance_that_was_quiet_for_an_hour_is_limited_like_any_other(tmp_path: Path) -> None:
    """Silence saves up no more than the burst."""
    node = ConsoleFiles(tmp_path, Bounds(burst=100, tokens_per_second=10))
    node.open("a")
    node.write("a", b"hello")
    node.look()
    for _ in range(36):
        node.clock.advance(100.0)
        node.look()
    node.write("a", *[b"x"] * 1_000)
    node.look()
    await node.forward()
    assert len(node.receiver.lines("boot_a")) == 101
    assert node.receiver.gaps("boot_a") == [("rate_limited", 900)]


async def test_a_backlog_does_not_hold_up_other_instances(tmp_path: Path) -> None:
    """The next batch has room for whoever writes little, however much waits of another."""
    node = ConsoleFiles(tmp_path)
    node.open("loud", "quiet")
    node.write("loud", *[b"x" * 50] * 4_000)
    node.look()
    node.write("quiet", b"hello")
    node.look()
    batch = node.spool.batch()
    assert batch is not None
    assert len(batch.entries) == 500
    assert [entry.line for entry in batch.entries if entry.instance_id == "inst_quiet"] == [b"hello"]


async def test_a_batch_of_long_lines_stays_below_a_mebibyte_of_json(tmp_path: Path) -> None:
    """Lines are bounded in bytes per request as well."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.write("a", *[b"\xff" * 16_000] * 200)
    node.look()
    batch = node.spool.batch()
    assert batch is not None
    assert 30 <= len(batch.entries) <= 33
    assert len(batch.model_dump_json()) < 2**20


async def test_an_instance_that_is_rejected_is_dropped_counted_and_told_when_it_is_known_again(tmp_path: Path) -> None:
    """Rejected lines are not sent again and again; their gap comes with the next line that is accepted."""
    node = ConsoleFiles(tmp_path)
    losses: list[tuple[str, str, int]] = []
    node.spool.on_loss = lambda *loss: losses.append(loss)
    node.receiver.rejects = {"inst_a"}
    node.open("a", "b")
    for _ in range(2):
        node.write("a", b"lost")
        node.write("b", b"kept")
        node.look()
        await node.forward()
    assert node.receiver.batches == 2
    assert losses == [("inst_a", "rejected", 1)] * 2
    assert (node.spool.totals.dropped_lines["rejected"], node.spool.totals.forwarded_lines) == (2, 2)

    node.receiver.rejects = set()
    node.write("a", b"known")
    node.look()
    await node.forward()
    assert node.receiver.gaps("boot_a") == [("rejected", 2)]
    assert node.receiver.lines("boot_a") == [b"known"]
    assert node.receiver.lines("boot_b") == [b"kept"] * 2
    node.spool.check()
    assert node.spool.totals.unaccounted_lines == 0


async def test_an_answer_that_leaves_entries_out_lets_nothing_go(tmp_path: Path) -> None:
    """Acknowledged means every entry: an answer about fewer is none."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.write("a", b"1", b"2")
    node.look()
    batch = node.spool.batch()
    assert batch is not None
    with pytest.raises(
        NotAcknowledged, match=r"^2 entries were sent and not rejected; the answer knows of 1 stored and 0 again$"
    ):
        node.spool.acknowledge(batch, LogAck(stored=1))
    assert node.spool.batch() == batch


async def test_a_boot_is_forgotten_once_its_lines_are_out(tmp_path: Path) -> None:
    """What a boot left behind still goes out after the node has forgotten it, and the figures stay."""
    node = ConsoleFiles(tmp_path)
    node.open("a", "b")
    node.write("a", b"last words")
    node.look()
    node.spool.retain({"boot_b"})
    await node.forward()

    assert node.receiver.lines("boot_a") == [b"last words"]
    with sqlite3.connect(node.path) as db:
        assert db.execute("SELECT boot_id FROM boots").fetchall() == [("boot_b",)]
    db.close()
    node.spool.check()
    assert (node.spool.totals.unaccounted_lines, node.spool.totals.forwarded_lines) == (0, 1)


async def test_mutant_a_line_that_vanishes_is_unaccounted(tmp_path: Path) -> None:
    """The check sees what is neither forwarded nor dropped nor waiting."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.write("a", b"1", b"2", b"3")
    node.look()
    with sqlite3.connect(node.path) as db:
        db.execute("DELETE FROM entries WHERE seq = 2")
    db.close()
    node.spool.check()
    assert node.spool.totals.unaccounted_lines == 1


# --- disks ----------------------------------------------------------------------------------------


async def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    """While nothing fits, lines stay in their console; once there is room they are captured, each once."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.spool.close()
    connect = sqlite3.connect

    def tiny(*arguments, **options):  # type: ignore[no-untyped-def]
        db = connect(*arguments, **options)
        db.execute("PRAGMA max_page_count = 8")
        return db

    written = [b"%05d" % n + b"x" * 500 for n in range(200)]
    with mock.patch("sqlite3.connect", tiny):
        for begin in range(0, 200, 20):
            node.write("a", *written[begin : begin + 20])
            with suppress(SpoolUnavailable):
                node.look()
    assert set(node.spool.totals.troubles) == {"disk_full"}
    node.spool.close()
    node.look()
    await node.forward()

    assert node.receiver.lines("boot_a") == written
    assert node.receiver.gaps("boot_a") == []


def broken(content: bytes, how: str) -> bytes:
    """A file as a bad disk gives it back."""
    middle = len(content) // 2
    if how == "truncated":
        return content[: middle + 17]
    if how == "garbage":
        return b"\x5a" * len(content)
    return content[:4096] + bytes(byte ^ 0xFF for byte in content[4096:])


@pytest.mark.parametrize("how", ["truncated", "garbage", "flipped"])
async def test_a_broken_file_is_moved_away_and_what_it_held_is_one_gap(tmp_path: Path, how: str) -> None:
    """The agent goes on with a new spool; numbers given out before are not given out again."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.write("a", *[b"x" * 300] * 200)
    node.look()
    batch = node.spool.batch()
    assert batch is not None
    node.receiver.take(batch)
    node.spool.close()
    node.path.write_bytes(broken(node.path.read_bytes(), how))
    for beside in ("-wal", "-shm"):
        node.path.with_name(node.path.name + beside).unlink(missing_ok=True)

    node.restart()
    node.open("a", is_new=False)
    node.write("a", b"after")
    for _ in range(3):
        with suppress(SpoolUnavailable):
            node.look()
            await node.forward()
            node.write("a", b"after")
    assert node.spool.totals.troubles == {"corrupt": 1}
    kept = [entry for _, entry in sorted(node.receiver.kept["boot_a"].items())]
    gap = next(entry for entry in kept if entry.gap is not None and entry.gap.reason == "spool_lost")
    assert gap.gap is not None
    assert not gap.gap.is_exact
    assert gap.seq > kept[0].seq + 200
    assert kept[-1].line == b"after"
    assert node.path.with_name("spool.sqlite.broken").exists()
    node.spool.check()
    assert node.spool.totals.unaccounted_lines == 0


@pytest.mark.parametrize("seed", range(15))
async def test_flipped_bits_never_become_lines(tmp_path: Path, seed: int) -> None:
    """Whatever a disk does to the file: the node goes on, and what arrives was written, by that instance, in that order."""
    chance = random.Random(seed)
    node = ConsoleFiles(tmp_path)
    node.open("a", "b")
    written = {name: [f"{name} {n} ".encode() + b"x" * chance.randrange(60) for n in range(300)] for name in "ab"}
    for name, lines in written.items():
        node.write(name, *lines)
    node.look()
    node.spool.close()
    content = bytearray(node.path.read_bytes())
    for _ in range(chance.choice((1, 5, 40))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    node.path.write_bytes(content)

    node.restart()
    node.open("a", "b", is_new=False)
    for _ in range(4):
        with suppress(SpoolUnavailable):
            node.look()
            for _ in range(20):
                await node.forwarder.step()
                node.clock.advance(3.0)
    for name, lines in written.items():
        entries = [entry for _, entry in sorted(node.receiver.kept[f"boot_{name}"].items())]
        received = [lines.index(entry.line) for entry in entries if entry.gap is None]
        assert received == sorted(set(received)), f"seed {seed}"
    node.open("c")
    node.write("c", b"still here")
    node.look()
    for _ in range(40):
        await node.forwarder.step()
        node.clock.advance(3.0)
    assert node.receiver.lines("boot_c") == [b"still here"]


@pytest.mark.parametrize("is_mutant", [False, True])
async def test_a_line_that_the_disk_has_changed_is_never_shown(tmp_path: Path, is_mutant: bool) -> None:
    """What does not match its checksum is lost with its file, in a gap; mutant: without the check a reader would see it."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.write("a", b"paid 100")
    node.look()
    with sqlite3.connect(node.path) as db:
        db.execute("UPDATE entries SET line = CAST('paid 900' AS BLOB)")
    db.close()
    with mock.patch("obslib.workload.node.outbox.check", (lambda *_: None) if is_mutant else check):
        for _ in range(3):
            await node.forwarder.step()
            node.clock.advance(3.0)
    node.write("a", b"bye")
    node.look()
    for _ in range(3):
        await node.forwarder.step()
        node.clock.advance(3.0)
    kept = [entry for _, entry in sorted(node.receiver.kept["boot_a"].items())]
    seen = [entry.gap.reason if entry.gap else entry.line for entry in kept]
    assert seen == ([b"paid 900", b"bye"] if is_mutant else ["spool_lost"])


async def test_a_spool_that_was_deleted_does_not_number_lines_again(tmp_path: Path) -> None:
    """A running boot that the spool does not know goes on beyond every number it may have had."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    node.write("a", b"1", b"2")
    node.look()
    await node.forward()
    node.spool.close()
    for file in tmp_path.glob("spool.sqlite*"):
        file.unlink()
    node.restart()
    node.open("a", is_new=False)
    node.look()
    node.write("a", b"3")
    node.look()
    await node.forward()
    assert [(entry.seq, entry.line) for _, entry in sorted(node.receiver.kept["boot_a"].items())] == [
        (1, b"1"), (2, b"2"), (7, b""), (8, b"3"),
    ]  # fmt: skip


def test_a_spool_that_cannot_be_opened_does_not_end_the_agent(tmp_path: Path) -> None:
    """It is made at the first moment at which it can be."""
    spool = Spool(tmp_path / "missing" / "spool.sqlite", clock=ConsoleFiles(tmp_path).clock)
    assert spool.totals.troubles == {"unusable": 1}
    with pytest.raises(SpoolUnavailable, match="cannot be used now"):
        spool.batch()
    (tmp_path / "missing").mkdir()
    assert spool.batch() is None
