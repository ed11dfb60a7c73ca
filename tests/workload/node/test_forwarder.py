"""One batch under way, tried until it is acknowledged, at the pace of the platform facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.loops.backoff import Backoff
from obslib.wire import LogAck, LogBatch
from obslib.workload.node import Bounds, Forwarder, SpoolUnavailable
from tests.workload.node.console_files import ConsoleFiles


@pytest.fixture
def node(tmp_path: Path) -> ConsoleFiles:
    """A node with one instance."""
    node = ConsoleFiles(tmp_path)
    node.open("a")
    return node


async def test_a_batch_waits_for_a_hundred_lines_or_half_a_second(node: ConsoleFiles) -> None:
    """One line goes after 500 ms, a hundred go at once, and no batch holds more than 500."""
    node.write("a", b"one")
    node.look()
    waited = 0.0
    while not node.receiver.batches:
        pause = await node.forwarder.step()
        node.clock.advance(pause)
        waited += pause
    assert 0.5 <= waited <= 0.7

    node.write("a", *[b"many"] * 1_200)
    node.look()
    assert [await node.forwarder.step() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert node.receiver.batches == 4
    assert len(node.receiver.lines("boot_a")) == 1_201


async def test_failures_are_followed_by_growing_pauses_and_the_same_batch(node: ConsoleFiles) -> None:
    """The pauses double up to 5 s; what is sent again is what was sent, whatever has come in since."""
    seen: list[LogBatch] = []
    told: list[int] = []

    async def no_answer(batch: LogBatch) -> LogAck:
        seen.append(batch)
        raise TimeoutError

    forwarder = Forwarder(
        node.spool, no_answer, clock=node.clock, on_failure=lambda _, attempt: told.append(attempt),
        backoff=Backoff(lambda: 0.0, cap_s=5.0),
    )  # fmt: skip
    node.write("a", *[b"x"] * 100)
    node.look()
    pauses = []
    for _ in range(8):
        pauses.append(await forwarder.step())
        node.write("a", b"more")
        node.look()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert told == list(range(1, 9))
    assert all(batch == seen[0] for batch in seen)
    assert node.spool.totals.failed_lines == 800
    await node.forward()
    assert len(node.receiver.lines("boot_a")) == 108


async def test_a_gap_goes_with_the_line_that_ends_it_or_after_a_moment(tmp_path: Path) -> None:
    """A gap that may still grow is not sent, so that one hole has one marker."""
    node = ConsoleFiles(tmp_path, Bounds(tokens_per_second=10, burst=10))
    node.open("a")
    node.write("a", *[b"x"] * 50)
    node.look()
    node.write("a", *[b"y"] * 50)
    node.look()
    node.clock.advance(0.5)
    for _ in range(8):
        node.clock.advance(await node.forwarder.step())
    assert (len(node.receiver.lines("boot_a")), node.receiver.gaps("boot_a")) == (10, [])
    node.clock.advance(2.0)
    for _ in range(8):
        node.clock.advance(await node.forwarder.step())
    assert node.receiver.gaps("boot_a") == [("rate_limited", 90)]


async def test_a_spool_that_cannot_be_read_is_tried_again(node: ConsoleFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trouble with the disk is a failure like any other, and over when it is over."""
    told: list[Exception] = []
    forwarder = Forwarder(node.spool, node.send, clock=node.clock, on_failure=lambda error, _: told.append(error))
    node.write("a", *[b"x"] * 100)
    node.look()
    with monkeypatch.context() as patch:
        patch.setattr(node.spool._file, "_connected", lambda: (_ for _ in ()).throw(SpoolUnavailable("no", "unusable")))
        assert await forwarder.step() > 0
    assert [type(error) for error in told] == [SpoolUnavailable]
    assert await forwarder.step() == 0.0
    assert len(node.receiver.lines("boot_a")) == 100
