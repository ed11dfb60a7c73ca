"""Agents to be killed: ``python spooling_agent.py HOME URL BOOT...`` forks one for each line on its input, names its pid
and waits for its end. Each captures the boots below HOME and forwards them to URL until then.
"""

from __future__ import annotations

import asyncio
import os
import sys
import urllib.request
from pathlib import Path

from obslib.clock import SystemClock
from obslib.wire import LogAck, LogBatch
from obslib.workload.node import Bounds, Capture, Forwarder, Spool

BOUNDS = Bounds(lines_per_instance=2_000, tokens_per_second=20_000)


async def work(home: Path, url: str, boots: list[str]) -> None:
    """Be an agent."""
    spool = Spool(home / "spool.sqlite", clock=SystemClock(), bounds=BOUNDS)
    capture = Capture(spool, lambda boot_id: home / boot_id, clock=SystemClock())
    for boot_id in boots:
        capture.open(f"inst_{boot_id}", boot_id, is_new=False)

    async def send(batch: LogBatch) -> LogAck:
        request = urllib.request.Request(url, data=batch.model_dump_json().encode())
        with urllib.request.urlopen(request, timeout=5) as reply:
            return LogAck.model_validate_json(reply.read())

    forwarder = Forwarder(spool, send, clock=SystemClock())
    while True:
        for boot_id in boots:
            capture.look(boot_id)
        await asyncio.sleep(min(await forwarder.step(), 0.01))


if __name__ == "__main__":
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(work(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
        print(pid, flush=True)
        os.waitpid(pid, 0)
