"""Every line a workload writes is counted once, whatever becomes of the agent that counts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniplatform import guest_init
from miniplatform.agent import console
from miniplatform.agent.caps import Watched
from miniplatform.agent.console import LINE_LIMIT, Consoles, Counted, count
from miniplatform.agent.state import ConsolePosition, State
from miniplatform.agent.workload import Launcher

BOOT = "boot_1"


class Reader:
    """An agent's view of one boot's console; ``again()`` is the next agent's, after a kill."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = State(home / "agent.sqlite")
        self.consoles = Consoles(self.state, lambda boot_id: home / boot_id)
        (home / BOOT).mkdir(exist_ok=True)

    def write(self, text: bytes, stream: str = "stdout") -> None:
        """Write as the kernel does for a workload."""
        with (self.home / BOOT / stream).open("ab") as file:
            file.write(text)

    def again(self) -> Reader:
        """Another agent on the same state; nothing of the first one's memory is passed on."""
        self.state.close()
        return Reader(self.home)

    async def look(self) -> None:
        """Read everything there is, without taking it for the end."""
        self.consoles.open(BOOT)
        following = asyncio.create_task(self.consoles.follow())
        async with asyncio.timeout(5):
            while any(
                self.state.console(BOOT, stream).position < (self.home / BOOT / stream).stat().st_size
                for stream in ("stdout", "stderr")
                if (self.home / BOOT / stream).exists()
            ):
                await asyncio.sleep(0.001)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """The first agent's view."""
    return Reader(tmp_path)


async def test_a_second_agent_goes_on_where_the_first_one_stopped(reader: Reader) -> None:
    """Lines, bytes and cut lines add up exactly over agents that were killed in the middle of a line."""
    long = b"x" * (LINE_LIMIT + 1)
    reader.write(b"one\ntwo\nthr")
    reader.write(b"warning\n", "stderr")
    await reader.look()
    reader = reader.again()
    reader.write(b"ee\n" + long[:100])
    await reader.look()
    reader = reader.again()
    reader.write(long[100:])
    await reader.look()
    reader = reader.again()
    reader.write(b"more of it\nlast")
    await reader.consoles.finish(BOOT)
    reader = reader.again()
    await reader.consoles.finish(BOOT)

    size = (reader.home / BOOT / "stdout").stat().st_size
    assert reader.consoles.totals == {"lines_stdout": 5, "lines_stderr": 1, "bytes": size + 8, "truncated": 1}
    reader.state.close()


async def test_mutant_an_agent_that_does_not_write_its_position_down_counts_twice(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the position in the state, the sum above would be wrong."""
    monkeypatch.setattr(State, "console", lambda *_: ConsolePosition())
    reader.write(b"one\n")
    reader.consoles._advance(BOOT)
    reader = reader.again()
    reader.consoles._advance(BOOT)

    assert reader.consoles.totals["lines_stdout"] == 2
    reader.state.close()


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"x", b"\n") * 3)), st.integers(1, 9))
def test_counting_in_pieces_is_counting_at_once(pieces: list[bytes], limit: int) -> None:
    """However a stream is cut into chunks, the same lines are counted and the same ones are too long."""
    before, console.LINE_LIMIT = console.LINE_LIMIT, limit
    try:
        at_once, left = count(b"".join(pieces), 0)
        sums, line_bytes = Counted(), 0
        for piece in pieces:
            found, line_bytes = count(piece, line_bytes)
            sums = Counted(
                lines=sums.lines + found.lines, bytes=sums.bytes + found.bytes, truncated=sums.truncated + found.truncated
            )
        assert (sums, line_bytes) == (at_once, left)
        lines = b"".join(pieces).split(b"\n")
        assert sums.truncated == sum(len(line) > limit for line in lines)
        assert sums.lines == len(lines) - 1
    finally:
        console.LINE_LIMIT = before


async def test_what_was_given_back_unread_is_counted_as_dropped(reader: Reader) -> None:
    """A console that outgrows its room loses its oldest part; bytes read and bytes dropped add up to bytes written."""
    line = b"y" * 4095 + b"\n"
    reader.write(line[:10])
    await reader.look()
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

    totals = reader.consoles.totals
    assert totals == {"lines_stdout": 17, "bytes": 10 + 16 * 4096, "dropped": 48 * 4096 - 10}
    assert totals["bytes"] + totals["dropped"] == 64 * 4096
    reader.state.close()


async def test_a_file_that_was_cut_off_is_read_from_its_start(reader: Reader) -> None:
    """Somebody empties a console file by hand: what is written next is counted, nothing is made up."""
    reader.write(b"one\ntwo\n")
    await reader.look()
    (reader.home / BOOT / "stdout").write_bytes(b"")
    reader.write(b"new\n")
    await reader.consoles.finish(BOOT)

    assert reader.consoles.totals == {"lines_stdout": 3, "bytes": 12}
    reader.state.close()


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

    totals = reader.consoles.totals
    assert totals["bytes"] + totals["dropped"] == 2_000_000
    assert 2**16 <= totals["bytes"] <= 2**17
    reader.state.close()
