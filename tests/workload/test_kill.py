"""A writer that is killed with SIGKILL at any moment has lost nothing that it had acknowledged (R9)."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from obslib.workload import Selection, SqliteLogStore
from tests.workload.scene import EPOCH, Readers, org, stamp, stamped

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WRITER = """
import asyncio, sys
from pathlib import Path
from obslib.testing import FixedClock
from obslib.workload import SqliteLogStore
from tests.workload.scene import org, stamped, stamp

async def main(directory, first):
    store = SqliteLogStore(Path(directory), clock=FixedClock())
    async def write(number):
        seq = int(first)
        while True:
            batch = [stamped(n, f"{number} {n}", at=n / 1e6, where=stamp(number)) for n in range(seq, seq + 20)]
            await store.append(org(number), batch)
            seq += 20
            print(number, seq - 1, flush=True)
    await asyncio.gather(write(1), write(2))

asyncio.run(main(*sys.argv[1:]))
"""


class Killed:
    """Writers on one directory, one after the other, each killed; and the last line each org had acknowledged."""

    def __init__(self, directory: Path, program: str = WRITER) -> None:
        self._directory, self._program = directory, program
        self.acknowledged = {1: 0, 2: 0}

    def write_for(self, seconds: float) -> None:
        """Let a new writer go on where the last one was acknowledged, and kill it so long after its first word."""
        first = min(self.acknowledged.values()) + 1
        command = [sys.executable, "-c", self._program, str(self._directory), str(first)]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline()]
            time.sleep(seconds)
            writer.send_signal(signal.SIGKILL)
            told += writer.stdout.readlines()
        for line in told:
            if line.endswith("\n"):
                number, seq = map(int, line.split())
                self.acknowledged[number] = max(self.acknowledged[number], seq)

    async def faults(self, readers: Readers) -> list[str]:
        """What is wrong with the lines of each org: lost, invented or reordered ones. Should be empty."""
        store, found = SqliteLogStore(self._directory), []
        for number, last in self.acknowledged.items():
            reader, position, seqs = await readers.of(number), 0, []
            selection = Selection(env_id=f"env_{number}_prod", since=EPOCH - 1)
            while (page := await store.read_after(reader, selection, position, limit=5_000)).position != position:
                position = page.position
                seqs += [entry.entry.seq for entry in page.entries]
                found += [
                    f"org {number} has {entry.entry.line!r} at {entry.entry.seq}"
                    for entry in page.entries
                    if entry.entry.line != f"{number} {entry.entry.seq}".encode() or entry.stamp != stamp(number)
                ]
            if seqs != list(range(1, len(seqs) + 1)) or len(seqs) < last:
                found.append(f"org {number} acknowledged {last} and has {len(seqs)}")
        await store.close()
        return found


async def test_fifty_kills_lose_nothing(tmp_path: Path, readers: Readers) -> None:
    """No acknowledged line is lost, invented or out of order, in two orgs written at once; each next writer starts at once."""
    killed, chance = Killed(tmp_path / "logs"), random.Random(9)
    for _ in range(50):
        killed.write_for(chance.uniform(0.0, 0.25))
    assert await killed.faults(readers) == []
    assert min(killed.acknowledged.values()) > 500
    assert not list((tmp_path / "logs").glob("*.damaged-*"))


async def test_mutant_that_acknowledges_first_is_caught(tmp_path: Path, readers: Readers) -> None:
    """A writer that says a batch is kept before it is loses some, and the check above sees it."""
    hasty = WRITER.replace("            await store.append(org(number), batch)\n", "").replace(
        "            print(number, seq - 1, flush=True)",
        "            print(number, seq - 1, flush=True)\n            await store.append(org(number), batch)",
    )
    killed = Killed(tmp_path / "logs", hasty)
    for _ in range(10):
        killed.write_for(0.05)
        if await killed.faults(readers):
            return
    pytest.fail("ten kills found nothing wrong with a writer that acknowledges first")


async def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """What a kill cannot show, a loss of power would: the writer's connection says that it syncs each commit."""
    store = SqliteLogStore(tmp_path)
    await store.append(org(1), [stamped(1)])
    writer = store._files[org(1)]._writer
    assert [writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")] == ["wal", 2]
    await store.close()
