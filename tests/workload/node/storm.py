"""A node in bad weather: workloads that write, an agent that dies anywhere, a network that loses calls and answers.

Everything follows from a seed. ``settle`` lets the sun out and checks what the receiver holds, line by line.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from obslib.testing import FixedClock
from obslib.wire import LogAck, LogBatch
from obslib.workload.node import Bounds, Capture, Forwarder, Spool
from tests.workload.node.mortal import Killed, Life
from tests.workload.node.receiver import Receiver

__all__ = ["REJECTED", "TIGHT", "Storm"]

TIGHT = Bounds(lines_per_instance=25, spool_bytes=6_000, tokens_per_second=0.7, burst=15.0)
"""So little of everything that every kind of loss happens all the time."""

REJECTED = "inst_0"
"""Not known to the receiver for the first 100 steps."""

_INSTANCES = 4


class Lost(Exception):
    """A call that brought no answer."""


class Storm:
    """One node through many agents. ``bounds`` TIGHT or others."""

    def __init__(self, home: Path, seed: int, life: Life, bounds: Bounds = TIGHT) -> None:
        self.random = random.Random(seed)
        self.receiver = Receiver()
        self.clock = FixedClock()
        self.losses: dict[str, int] = defaultdict(int)
        self.written: dict[tuple[str, str], list[bytes]] = defaultdict(list)
        self.boots = {f"boot_{n}_{m}": f"inst_{n}" for n in range(_INSTANCES) for m in range(2)}
        self.ended: set[str] = set()
        self.finished: set[str] = set()
        self._home = home
        self._life = life
        self._bounds = bounds
        self._is_fair = False
        self.lives = 0
        self.steps = 0
        for boot_id in self.boots:
            (home / boot_id).mkdir()
        self._begin_life()
        for boot_id, instance_id in self.boots.items():
            self.capture.open(instance_id, boot_id, is_new=True)

    async def blow(self, steps: int) -> None:
        """Let ``steps`` things happen, most of them bad."""
        doings: list[Callable[[], object]] = [self._write, self._write, self._look, self._look, self._end]
        for _ in range(steps):
            self.receiver.rejects = {REJECTED} if self.steps < 100 else set()
            self.steps += 1
            if self.random.random() < 0.3:
                self._life.statements = self.random.randrange(60)
            try:
                if self.random.random() < 0.3:
                    await self.forwarder.step()
                else:
                    self.random.choice(doings)()
            except Killed:
                self._begin_life()
            self._life.statements = None
            self.clock.advance(self.random.choice((0.0, 0.1, 0.6)))

    async def settle(self) -> None:
        """End every boot, forward all there is over a fair network, and hold every line against what was written."""
        self._is_fair = True
        for boot_id in set(self.boots) - self.finished:
            self.say(boot_id, b"the end")
            while self.capture.finish(boot_id):
                pass
        for _ in range(200):
            await self.forwarder.step()
            self.clock.advance(3.0)
            if not self.spool.totals.buffer_bytes:
                break
        self.spool.check()
        for boot_id in self.boots:
            self._check(boot_id)
        totals = self.spool.totals
        assert totals.unaccounted_lines == 0
        assert sum(totals.lines.values()) == totals.forwarded_lines + sum(totals.dropped_lines.values())
        assert sum(totals.lines.values()) == sum(len(lines) for lines in self.written.values())

    def _check(self, boot_id: str) -> None:
        missing = 0
        for stream in ("stdout", "stderr"):
            written = self.written[boot_id, stream]
            received = self.receiver.lines(boot_id, stream)
            place = {line: number for number, line in enumerate(written)}
            numbers = [place[line] for line in received]
            assert numbers == sorted(set(numbers)), f"{boot_id} {stream}: a line came twice or out of order"
            missing += len(written) - len(received)
        gaps = self.receiver.gaps(boot_id)
        assert missing == sum(lines for _, lines in gaps), f"{boot_id}: {missing} lines are missing, the gaps are {gaps}"

    # --- what happens -------------------------------------------------------------------------------

    def _begin_life(self) -> None:
        """The next agent: nothing of the one before is passed on but the files."""
        self._life.statements = None
        self.lives += 1
        self.spool = Spool(self._home / "spool.sqlite", clock=self.clock, bounds=self._bounds)
        self.capture = Capture(self.spool, lambda boot_id: self._home / boot_id, clock=self.clock)
        self.forwarder = Forwarder(self.spool, self._send, clock=self.clock)
        for boot_id, instance_id in self.boots.items():
            if boot_id not in self.finished:
                self.capture.open(instance_id, boot_id, is_new=False)

    def say(self, boot_id: str, text: bytes) -> None:
        """One line of a workload."""
        with (self._home / boot_id / "stdout").open("ab") as console:
            console.write(text + b"\n")
        self.written[boot_id, "stdout"].append(text)

    def _write(self) -> None:
        boot_id = self.random.choice(list(self.boots))
        if boot_id in self.ended:
            return
        stream = self.random.choice(("stdout", "stdout", "stderr"))
        written = self.written[boot_id, stream]
        with (self._home / boot_id / stream).open("ab") as console:
            for _ in range(self.random.choice((1, 2, 5, 40))):
                text = b"%s %d %s" % (stream.encode(), len(written), b"\xff\0" * self.random.choice((0, 1, 30)))
                half = self.random.randrange(len(text))
                console.write(text[:half])
                console.write(text[half:] + b"\n")
                written.append(text)

    def _look(self) -> None:
        for boot_id in self.capture.boots:
            self.capture.look(boot_id)

    def _end(self) -> None:
        boot_id = self.random.choice(list(self.boots))
        if self.random.random() < 0.05 and boot_id not in self.ended and self.boots[boot_id] != REJECTED:
            self.ended.add(boot_id)
            if self.random.random() < 0.5:
                with (self._home / boot_id / "stdout").open("ab") as console:
                    console.write(b"without a newline")
                self.written[boot_id, "stdout"].append(b"without a newline")
        for boot_id in self.ended - self.finished:
            while self.capture.finish(boot_id):
                pass
            self.finished.add(boot_id)

    async def _send(self, batch: LogBatch) -> LogAck:
        fate = 1.0 if self._is_fair else self.random.random()
        if fate < 0.3:
            raise Lost("the call")
        answer = self.receiver.take(batch)
        if fate < 0.6:
            raise Lost("the answer")
        return answer
