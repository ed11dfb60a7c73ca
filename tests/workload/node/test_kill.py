"""``kill -9`` of a process that captures, spools and forwards, as often as it takes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from obslib.clock import SystemClock
from obslib.wire import LogBatch
from obslib.workload.node import Spool
from tests.workload.node.receiver import Receiver

pytestmark = pytest.mark.slow

KILLS = 50
SEED = 20
BOOTS = ("a", "b", "c")


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    """A receiver behind real HTTP that loses three answers in ten, and its URL."""
    receiver, chance, lock = Receiver(), random.Random(SEED), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            batch = LogBatch.model_validate_json(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                answer = receiver.take(batch).model_dump_json().encode()
                is_lost = chance.random() < 0.3
            if not is_lost:
                self.send_response(202)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield receiver, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_no_line_is_lost_repeated_or_invented_over_fifty_kills(tmp_path: Path, receiver: tuple[Receiver, str]) -> None:
    """Three workloads write all the while; what is missing in the end is covered by gaps, line for line."""
    held, url = receiver
    chance = random.Random(SEED)
    spool = Spool(tmp_path / "spool.sqlite", clock=SystemClock())
    for boot_id in BOOTS:
        (tmp_path / boot_id).mkdir()
        spool.enroll(f"inst_{boot_id}", boot_id, {})
    spool.close()
    written = dict.fromkeys(BOOTS, 0)

    def write(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for boot_id in BOOTS:
                with (tmp_path / boot_id / "stdout").open("ab") as console:
                    console.write(b"".join(b"%d\n" % n for n in range(written[boot_id], written[boot_id] + 7)))
                written[boot_id] += 7
            time.sleep(0.001)

    command = [sys.executable, str(Path(__file__).with_name("spooling_agent.py")), str(tmp_path), url, *BOOTS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as agents:
        assert agents.stdin is not None
        assert agents.stdout is not None
        for _ in range(KILLS):
            agents.stdin.write("\n")
            pid = int(agents.stdout.readline())
            write(chance.uniform(0.0, 0.25))
            os.kill(pid, signal.SIGKILL)
        agents.stdin.write("\n")
        pid = int(agents.stdout.readline())
        try:
            _wait(held, written)
        finally:
            os.kill(pid, signal.SIGKILL)
            agents.stdin.close()

    for boot_id in BOOTS:
        lines = [int(line) for line in held.lines(boot_id)]
        assert lines == sorted(set(lines)), f"seed {SEED}: out of order or twice"
        assert set(lines) <= set(range(written[boot_id])), f"seed {SEED}: invented"
        assert len(lines) + sum(n for _, n in held.gaps(boot_id)) == written[boot_id], f"seed {SEED}: unaccounted"
    assert sum(len(held.lines(boot_id)) for boot_id in BOOTS) > 1_000


def _wait(held: Receiver, written: dict[str, int]) -> None:
    """Until every number that the lines take has arrived."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if all(max((e.last_seq for e in list(held.kept[boot].values())), default=0) == n for boot, n in written.items()):
            return
        time.sleep(0.05)
    pytest.fail("not every line arrived within 60 s")
