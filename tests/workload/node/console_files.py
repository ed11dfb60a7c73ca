"""One node without weather: consoles that a test writes to, and a look at what came of it."""

from __future__ import annotations

from pathlib import Path

from obslib.testing import FixedClock
from obslib.workload.node import Bounds, Capture, Forwarder, Spool
from tests.workload.node.receiver import Receiver

__all__ = ["ConsoleFiles"]


class ConsoleFiles:
    """Consoles below ``home``, one boot per instance: ``boot_<name>`` of ``inst_<name>``; a receiver that is always there."""

    def __init__(self, home: Path, bounds: Bounds | None = None) -> None:
        self.home = home
        self.clock = FixedClock()
        self.receiver = Receiver()
        self.path = home / "spool.sqlite"
        self.bounds = bounds
        self.restart()

    def restart(self) -> None:
        """The next agent."""
        self.spool = Spool(self.path, clock=self.clock, bounds=self.bounds)
        self.capture = Capture(self.spool, lambda boot_id: self.home / boot_id, clock=self.clock)
        self.forwarder = Forwarder(self.spool, self.send, clock=self.clock)

    async def send(self, batch):  # type: ignore[no-untyped-def]
        """What the forwarder calls."""
        return self.receiver.take(batch)

    def open(self, *names: str, is_new: bool = True) -> None:
        """Boots begin, or are found running."""
        for name in names:
            (self.home / f"boot_{name}").mkdir(exist_ok=True)
            self.capture.open(f"inst_{name}", f"boot_{name}", is_new=is_new)

    def write(self, name: str, *lines: bytes) -> None:
        """A workload writes to its stdout."""
        with (self.home / f"boot_{name}" / "stdout").open("ab") as console:
            console.write(b"".join(line + b"\n" for line in lines))

    def look(self) -> None:
        """One pass over all consoles."""
        for boot_id in self.capture.boots:
            self.capture.look(boot_id)

    async def forward(self) -> None:
        """Forward until nothing waits."""
        for _ in range(1_000):
            await self.forwarder.step()
            self.clock.advance(1.0)
            if not self.spool.totals.buffer_bytes:
                return
        raise AssertionError("the spool does not become empty")
