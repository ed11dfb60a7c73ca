"""Every line a workload writes is captured once, whatever becomes of the agent that captures."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from miniplatform import guest_init
from miniplatform.agent.caps import Watched
from miniplatform.agent.console import Consoles
from miniplatform.agent.workload import Launcher
from obslib.clock import SystemClock
from obslib.testing import observability
from obslib.wire import LogAck, LogEntry
from obslib.wire.workload_log import MAX_LINE_BYTES
from obslib.workload.node import Capture, Spool, SpoolUnavailable
from obslib.workload.node.look import Place
from obslib_agent.workload_logs import WorkloadLogs

BOOT, INSTANCE = "boot_1", "inst_1"
pytestmark = pytest.mark.usefixtures("spools_end")


class Reader:
    """An agent's view of one boot's console; ``again()`` is the next agent's, after a kill."""

    def __init__(self, home: Path, *, is_new: bool = True, is_running: bool = True) -> None:
        self.home = home
        self.spool = Spool(home / "spool.sqlite", clock=SystemClock())
        self.capture = Capture(self.spool, lambda boot_id: home / boot_id, clock=SystemClock())
        self.consoles = Consoles(self.capture, self.spool, WorkloadLogs(observability("agent"), None), lambda: {BOOT})
        (home / BOOT).mkdir(exist_ok=True)
        if is_running:
            self.consoles.open(INSTANCE, BOOT, is_new=is_new)

    def write(self, text: bytes, stream: str = "stdout") -> None:
        """Write as the kernel does for a workload."""
        with (self.home / BOOT / stream).open("ab") as file:
            file.write(text)

    def again(self) -> Reader:
        """Another agent on the same state; nothing of the first one's memory is passed on."""
        self.spool.close()
        return Reader(self.home, is_new=False)

    def look(self) -> None:
        """Read everything there is, without taking it for the end."""
        while self.capture.look(BOOT):
            pass

    def entries(self) -> list[LogEntry]:
        """Everything that waits, taken out of the spool."""
        found: list[LogEntry] = []
        while batch := self.spool.batch():
            found += batch.entries
            self.spool.acknowledge(batch, LogAck(stored=len(batch.entries)))
        return found


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """The first agent's view."""
    return Reader(tmp_path)


async def test_a_second_agent_goes_on_where_the_first_one_stopped(reader: Reader) -> None:
    """Lines come out whole and once over agents that were killed in the middle of a line, and the totals add up."""
    long = b"x" * (MAX_LINE_BYTES + 1)
    reader.write(b"one\ntwo\nthr")
    reader.write(b"warning\n", "stderr")
    reader.look()
    reader = reader.again()
    reader.write(b"ee\n" + long[:100])
    reader.look()
    reader = reader.again()
    reader.write(long[100:])
    reader.look()
    reader = reader.again()
    reader.write(b"more of it\nlast")
    await reader.consoles.finish(BOOT)
    reader = reader.again()
    await reader.consoles.finish(BOOT)

    size = (reader.home / BOOT / "stdout").stat().st_size
    totals = reader.spool.totals
    assert totals.lines == {"stdout": 5, "stderr": 1}
    assert (totals.bytes, totals.truncated_lines, totals.dropped_bytes) == (size + 8, 1, 0)
    entries = reader.entries()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    lines = [entry.line for entry in entries if entry.stream == "stdout"]
    assert [line[:5] for line in lines] == [b"one", b"two", b"three", b"xxxxx", b"last"]
    assert (len(lines[3]), [entry.seq for entry in entries if entry.truncated]) == (MAX_LINE_BYTES, [5])


async def test_mutant_an_agent_that_does_not_write_its_position_down_captures_twice(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the position in the spool, the sum above would be wrong."""
    standing = Spool.standing
    monkeypatch.setattr(Spool, "standing", lambda *named: replace(standing(*named), place=Place()))
    reader.write(b"one\n")
    reader.look()
    reader = reader.again()
    reader.look()

    assert reader.spool.totals.lines["stdout"] == 2


async def test_what_was_given_back_unread_is_a_gap(reader: Reader) -> None:
    """A console that outgrows its room loses its oldest part; bytes read and bytes dropped add up to bytes written."""
    line = b"y" * 4095 + b"\n"
    reader.write(line[:10])
    reader.look()
    reader.write(line[10:] + line * 63)
    file = os.open(reader.home / BOOT / "stdout", os.O_WRONLY)
    given_back = os.dup(1), os.dup(2)
    try:
        for descriptor in (1, 2):
            os.dup2(file, descriptor)
        guest_init._trim(16 * 4096)
    finally:
        for saved, descriptor in zip(given_back, (1, 2), strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
        os.close(file)
    await reader.consoles.finish(BOOT)

    totals = reader.spool.totals
    assert (totals.lines["stdout"], totals.bytes, totals.dropped_bytes) == (16, 16 * 4096, 48 * 4096)
    assert totals.dropped_lines["console_full"] == 1
    gap, *lines = reader.entries()
    assert gap.gap is not None
    assert (gap.seq, gap.gap.reason, gap.gap.bytes, gap.gap.is_exact) == (1, "console_full", 48 * 4096, False)
    assert [entry.seq for entry in lines] == list(range(2, 18))


async def test_a_file_that_was_cut_off_is_read_from_its_start(reader: Reader) -> None:
    """Somebody empties a console file by hand: what is written next is captured, nothing is made up."""
    reader.write(b"one\ntwo\n")
    reader.look()
    (reader.home / BOOT / "stdout").write_bytes(b"")
    reader.write(b"new\n")
    await reader.consoles.finish(BOOT)

    assert [entry.line for entry in reader.entries()] == [b"one", b"two", b"new"]


async def test_a_console_that_ends_while_the_disk_is_full_is_captured_once_there_is_room(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of an instance does not wait for the spool, and the spool does not miss the instance's last lines."""
    reader.write(b"last words\n")
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "keep", full_disk)
        await reader.consoles.finish(BOOT)
    assert reader.spool.totals.lines["stdout"] == 0
    following = asyncio.create_task(reader.consoles.follow())
    async with asyncio.timeout(10):
        while not reader.spool.totals.waiting_lines:
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert [entry.line for entry in reader.entries()] == [b"last words"]
    assert reader.capture.boots == []


async def test_what_an_agent_left_of_a_console_is_finished_by_the_next(reader: Reader) -> None:
    """The workload ended, the agent was killed before it had captured the last lines: they are not forgotten."""
    reader.write(b"one\n")
    reader.look()
    reader.write(b"last words")
    reader.spool.close()
    reader = Reader(reader.home, is_running=False)
    reader.consoles.resume()
    await reader.consoles.finish(BOOT)

    assert [entry.line for entry in reader.entries()] == [b"one", b"last words"]
    assert reader.spool.unfinished() == {}


def full_disk(*_: object) -> None:
    """What a spool does that finds no room."""
    raise SpoolUnavailable("database or disk is full", "disk_full")


async def test_a_console_stays_within_its_room_while_no_agent_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest init itself bounds a console on disk, and the workload does not notice."""
    monkeypatch.setattr("miniplatform.agent.workload.CONSOLE_KEEP_BYTES", 2**16)
    launcher = Launcher(tmp_path)
    process = await launcher.start(
        BOOT,
        ["python", "-c", "import sys,time; sys.stdout.write(('z' * 9999 + '\\n') * 200); sys.stdout.flush(); time.sleep(60)"],
        {},
        cap=Watched().confine(BOOT, 2**30),
        record=lambda _: None,
        on_end=lambda: None,
    )  # fmt: skip
    console_file = process.directory / "stdout"
    async with asyncio.timeout(10):
        while console_file.stat().st_size < 2_000_000 or console_file.stat().st_blocks * 512 > 2**17:
            await asyncio.sleep(0.02)
    reader = Reader(tmp_path)
    await process.stop(5)
    await reader.consoles.finish(BOOT)

    totals = reader.spool.totals
    assert totals.bytes + totals.dropped_bytes == 2_000_000
    assert 2**16 <= totals.bytes <= 2**17
