"""A StreamSink never blocks, never raises, and accounts for each line once."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from obslib.clock import SystemClock
from obslib.sinks import StreamSink
from obslib.sinks.channel import Channel
from obslib.tally import Cell, Tally

FORKS = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
Counted = Callable[[], dict[str, int]]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: the end to read and the end to write."""
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with contextlib.suppress(OSError):
            os.close(end)


def _sink(fd: int, tally: Tally, buffer_lines: int = 10_000) -> StreamSink:
    return StreamSink(fd, tally=tally, buffer_lines=buffer_lines, clock=SystemClock())


def _is_accounted(counted: Counted, offered: int) -> bool:
    totals = {"written": 0, "dropped": 0, **counted()}
    reasons = sum(total for name, total in totals.items() if name not in ("written", "dropped"))
    return totals["written"] + totals["dropped"] == offered and reasons == totals["dropped"]


def test_lines_arrive_in_order_each_with_a_newline(tally: Tally, counted: Counted, tmp_path: Path) -> None:
    """What is offered is written once, in order, and counted as written."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        sink = _sink(file.fileno(), tally)
        for number in range(3_000):
            assert sink.offer(b"line %d" % number)
        assert sink.flush(5.0)
        sink.close(1.0)
    assert path.read_bytes() == b"".join(b"line %d\n" % number for number in range(3_000))
    assert counted() == {"written": 3_000}


def test_the_tail_of_a_partial_write_is_kept(pipe: tuple[int, int], tally: Tally, counted: Counted) -> None:
    """Lines larger than the pipe come through whole once somebody reads."""
    reader, writer = pipe
    sink = _sink(writer, tally)
    lines = [bytes([65 + number]) * 150_000 for number in range(5)]
    assert all(map(sink.offer, lines))
    received = b""
    while len(received) < 5 * 150_001:
        received += os.read(reader, 65_536)
    assert received.split(b"\n") == [*lines, b""]
    assert sink.flush(5.0)
    sink.close(1.0)
    assert counted() == {"written": 5}


def test_a_stuck_reader_costs_lines_and_never_time(pipe: tuple[int, int], tally: Tally, counted: Counted) -> None:
    """With nobody reading, offers return, the buffer stays bounded, flush and close keep their deadlines."""
    sink = _sink(pipe[1], tally, buffer_lines=100)
    kept = sum(sink.offer(b"x" * 1_000) for _ in range(5_000))
    assert kept < 300
    begun = time.monotonic()
    assert not sink.flush(0.1)
    sink.close(0.1)
    assert time.monotonic() - begun < 1.5
    assert not sink.offer(b"late")
    assert _is_accounted(counted, 5_001)
    assert counted()["buffer_full"] >= 4_600


def test_a_mutant_that_does_not_count_drops_is_caught(
    pipe: tuple[int, int], tally: Tally, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accounting check fails on a sink whose drop counter is disabled."""
    sink = _sink(pipe[1], tally, buffer_lines=10)
    broken = Cell()
    monkeypatch.setattr(sink, "_dropped", broken)
    for _ in range(500):
        sink.offer(b"x" * 1_000)
    sink.close(0.05)
    assert broken.total > 0
    assert not _is_accounted(counted, 500)


def test_a_reader_that_has_gone_costs_the_lines_of_the_moment(pipe: tuple[int, int], tally: Tally, counted: Counted) -> None:
    """A broken pipe raises nothing; its lines are write errors."""
    os.close(pipe[0])
    sink = _sink(pipe[1], tally)
    for _ in range(10):
        assert sink.offer(b"line")
    assert sink.flush(2.0)
    sink.close(0.1)
    assert counted() == {"dropped": 10, "write_error": 10}


def test_a_closed_descriptor_raises_nothing(tally: Tally, counted: Counted) -> None:
    """A sink on a descriptor that was never open drops every line and says so."""
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    sink = _sink(writer, tally)
    sink.offer(b"line")
    assert sink.flush(2.0)
    sink.close(0.1)
    sink.close(0.1)
    assert counted() == {"dropped": 1, "write_error": 1}


def test_a_full_disk_is_waited_for(tally: Tally, counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full lines wait; when there is room again they are written, the torn one included."""
    write = Channel.write
    room = [3, 0, 0, 10_000]

    def write_within(channel: Channel, octets: bytes | memoryview) -> int:
        left = room.pop(0) if len(room) > 1 else room[0]
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(channel, octets[:left])

    monkeypatch.setattr(Channel, "write", write_within)
    with (tmp_path / "log").open("wb") as file:
        sink = _sink(file.fileno(), tally)
        sink.offer(b"first line")
        sink.offer(b"second line")
        assert sink.flush(5.0)
        sink.close(0.5)
    assert (tmp_path / "log").read_bytes() == b"first line\nsecond line\n"
    assert counted() == {"written": 2}


def test_a_disk_that_stays_full_does_not_hold_up_the_end(tally: Tally, counted: Counted) -> None:
    """Closing on a full device returns in time and accounts for what was lost."""
    full = os.open("/dev/full", os.O_WRONLY)
    sink = _sink(full, tally, buffer_lines=5)
    for _ in range(20):
        sink.offer(b"line")
    sink.close(0.1)
    os.close(full)
    assert _is_accounted(counted, 20)
    assert "written" not in counted()


def test_large_lines_have_a_bound_of_their_own(pipe: tuple[int, int], tally: Tally, counted: Counted) -> None:
    """Sixteen MiB of large lines is the most that waits, however many lines that is."""
    sink = _sink(pipe[1], tally)
    kept = sum(sink.offer(b"x" * 1_048_576) for _ in range(40))
    assert 15 <= kept <= 18
    sink.close(0.05)
    assert _is_accounted(counted, 40)


def test_threads_share_it_without_losing_count(tally: Tally, counted: Counted, tmp_path: Path) -> None:
    """Eight threads at once: every line is whole, and written plus dropped is offered."""
    with (tmp_path / "log").open("wb") as file:
        sink = _sink(file.fileno(), tally, buffer_lines=500)

        def work(name: int) -> None:
            for number in range(500):
                sink.offer(b"%d-%d" % (name, number))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sink.close(5.0)
    lines = (tmp_path / "log").read_bytes().splitlines()
    assert len(set(lines)) == len(lines) == counted()["written"]
    assert _is_accounted(counted, 4_000)


@FORKS
def test_a_forked_child_writes_its_own_lines_only(tmp_path: Path, tally: Tally) -> None:
    """After a fork the child's sink works with a thread of its own, and repeats nothing that its parent queued."""
    with (tmp_path / "log").open("ab") as file:
        sink = _sink(file.fileno(), tally)
        for number in range(200):
            sink.offer(b"parent %d" % number)
        children = []
        for name in range(3):
            child = os.fork()
            if child == 0:
                for number in range(50):
                    sink.offer(b"child %d %d" % (name, number))
                os._exit(0 if sink.flush(5.0) else 1)
            children.append(child)
        assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
        for number in range(200, 400):
            sink.offer(b"parent %d" % number)
        sink.close(5.0)
    lines = (tmp_path / "log").read_bytes().splitlines()
    expected = [b"parent %d" % number for number in range(400)]
    expected += [b"child %d %d" % (name, number) for name in range(3) for number in range(50)]
    assert sorted(lines) == sorted(expected)


def _lines_after_a_fork_with_a_full_queue(sink: StreamSink, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What parent and child write when the child is forked while the parent's lines still wait."""
    write, gate = Channel.write, threading.Event()

    def write_behind_gate(channel: Channel, octets: bytes | memoryview) -> int:
        gate.wait(5.0)
        return write(channel, octets)

    monkeypatch.setattr(Channel, "write", write_behind_gate)
    sink.offer(b"in hand")
    while not sink._in_hand:
        time.sleep(0.001)
    sink.offer(b"in the queue")
    child = os.fork()
    if child == 0:
        gate.set()
        sink.offer(b"child")
        os._exit(0 if sink.flush(0.5) else 1)
    os.waitpid(child, 0)
    gate.set()
    sink.close(5.0)
    return sorted(path.read_bytes().splitlines())


@FORKS
def test_lines_that_wait_at_a_fork_are_the_parents(tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line queued or half written at the fork is written once, by the parent."""
    with (tmp_path / "log").open("ab") as file:
        lines = _lines_after_a_fork_with_a_full_queue(_sink(file.fileno(), tally), tmp_path / "log", monkeypatch)
    assert lines == [b"child", b"in hand", b"in the queue"]


@FORKS
def test_a_mutant_that_keeps_its_queue_over_a_fork_is_caught(
    tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sink that does not start afresh in the child repeats its parent's lines."""
    with (tmp_path / "log").open("ab") as file:
        sink = _sink(file.fileno(), tally)
        monkeypatch.setattr(sink, "_begin", lambda: None)
        lines = _lines_after_a_fork_with_a_full_queue(sink, tmp_path / "log", monkeypatch)
    assert lines != [b"child", b"in hand", b"in the queue"]


def test_a_signal_handler_may_log(tally: Tally, counted: Counted, tmp_path: Path) -> None:
    """Offering from a handler that interrupts an offer neither hangs nor loses count."""
    with (tmp_path / "log").open("wb") as file:
        sink = _sink(file.fileno(), tally, buffer_lines=200)
        handled = []
        before = signal.signal(signal.SIGALRM, lambda *_: handled.append(sink.offer(b"handler")))
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for _ in range(20_000):
                sink.offer(b"main")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        sink.close(5.0)
    assert handled
    assert _is_accounted(counted, 20_000 + len(handled))
