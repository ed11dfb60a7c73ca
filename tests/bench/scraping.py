"""What a platform costs a real Prometheus, beside the estimate: ``make bench-scraping [NODES=10,100] [BEGUN=1]``.

Every process is at its worst, so that the head comes to what was proven, or as it begins. Resident memory, bytes and samples
are counted after every target was scraped so many times; durations are those of this machine under its present load.
"""

from __future__ import annotations

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from obslib.budget import PlatformSize, platform_budget
from obslib.budget.cost import INTERVAL_S, memory_of
from obslib.catalog.platform import PLATFORM
from obslib.metrics import Registry
from tests.bench.farm import Farm, begun, farm, full

__all__ = ["Measured", "measure", "size_of"]

_PATIENCE_S = 600
_FIRST = 'instance="10.0.0.0:9464"'  # the processes that render each scrape anew
_RENDERED = (
    f"max(min_over_time(scrape_duration_seconds{{{_FIRST}}}[1h]) / max_over_time(scrape_samples_scraped{{{_FIRST}}}[1h]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was counted, and beside it what was proven of the platform and estimated for so many series in the head."""

    targets: int
    proven: int
    series: int
    compactions: int
    memory_bytes: int
    bytes_per_sample: float
    processor_s_per_sample: float
    scrape_s_per_sample: float

    @property
    def estimated_bytes(self) -> int:
        """The memory that is estimated for this head."""
        return memory_of(self.series)

    @property
    def memory_ratio(self) -> float:
        """Measured memory in parts of the estimated."""
        return self.memory_bytes / self.estimated_bytes


def size_of(nodes: int) -> PlatformSize:
    """A platform of that many nodes, with an edge for every 25 of them and two at least."""
    return PlatformSize(nodes=nodes, edges=max(2, nodes // 25))


def measure(
    size: PlatformSize, program: str, directory: Path, *, interval_s: float, rounds: int,
    process: Callable[[str], Registry] = full,
) -> Measured:  # fmt: skip
    """Let a real Prometheus scrape a platform of ``size`` until every target was scraped ``rounds`` times."""
    budget = platform_budget(PLATFORM, size)
    with farm(size, process) as targets, _prometheus(program, directory, targets, interval_s, rounds) as server:
        server.wait_for(lambda: targets.rounds >= rounds and server.query("count(up == 1)") == budget.target_count)
        metrics = server.metrics()
        return Measured(
            targets=budget.target_count,
            proven=budget.series,
            series=int(metrics("prometheus_tsdb_head_series")),
            compactions=int(metrics("prometheus_tsdb_compactions_total")),
            memory_bytes=server.peak_bytes(),
            bytes_per_sample=targets.bytes_sent / targets.samples_sent,
            processor_s_per_sample=metrics("process_cpu_seconds_total")
            / metrics("prometheus_tsdb_head_samples_appended_total"),
            scrape_s_per_sample=server.query(_RENDERED),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """A Prometheus that runs."""

    url: str
    process: subprocess.Popen[bytes]

    def wait_for(self, is_done: Callable[[], bool]) -> None:
        """Wait until something is the case; raises RuntimeError after ten minutes, or when the server has ended."""
        deadline = time.monotonic() + _PATIENCE_S
        while not is_done():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"Prometheus at {self.url} has ended, or did not get there in {_PATIENCE_S} s")
            time.sleep(0.5)

    def answers(self) -> bool:
        """Whether it is ready to be asked."""
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def query(self, expression: str) -> float:
        """The one value of an expression, 0 when there is none."""
        reply = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30)
        found = reply.raise_for_status().json()["data"]["result"] if reply.is_success else []
        return float(found[0]["value"][1]) if found else 0.0

    def metrics(self) -> Callable[[str], float]:
        """The server's own figures, summed by name."""
        lines = httpx.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return lambda name: sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[ {{]", line))

    def peak_bytes(self) -> int:
        """The largest resident set the process had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@contextmanager
def _prometheus(program: str, directory: Path, targets: Farm, interval_s: float, rounds: int) -> Iterator[_Server]:
    """A Prometheus with the rendered configuration, limits and rules, that cuts its head within that many rounds."""
    obslib = str(Path(sys.executable).parent / "obslib")
    rendered = [obslib, "build", "--out", str(directory), "--shorten", f"{INTERVAL_S / interval_s:g}"]
    subprocess.run(rendered, check=True, capture_output=True, timeout=120)
    targets.aim(directory / "generated")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [program, f"--config.file={directory / 'generated' / 'prometheus.yml'}",
             f"--storage.tsdb.path={directory / 'tsdb'}", f"--storage.tsdb.min-block-duration={int(interval_s * rounds / 2)}s",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        server = _Server(url=f"http://127.0.0.1:{port}", process=process)
        server.wait_for(server.answers)
        yield server
    finally:
        process.terminate()
        process.wait(60)


def main() -> int:
    """Measure each size in turn and print it beside its estimate; 1 when a head passes its proof, 2 without Prometheus."""
    parser = argparse.ArgumentParser(prog="make bench-scraping")
    parser.add_argument("--nodes", default="10,100", help="sizes to measure (default: 10,100)")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two scrapes of a target (default: 5)")
    parser.add_argument("--rounds", type=int, default=20, help="scrapes of each target (default: 20)")
    parser.add_argument("--begun", action="store_true", help="processes as they begin, instead of at their worst")
    arguments = parser.parse_args()
    program = shutil.which("prometheus")
    if program is None:
        print("bench-scraping: prometheus is not installed (Debian package prometheus)", file=sys.stderr)
        return 2
    print("nodes targets    proven      head   memory  estimate  ratio   B/sample  Prometheus us/sample  scrape us/sample")
    is_within = True
    for nodes in map(int, arguments.nodes.split(",")):
        with tempfile.TemporaryDirectory(prefix="scraping-") as directory:
            found = measure(
                size_of(nodes),
                program,
                Path(directory),
                interval_s=arguments.interval,
                rounds=arguments.rounds,
                process=begun if arguments.begun else full,
            )
        is_within = is_within and found.series <= found.proven
        print(
            f"{nodes:5} {found.targets:7} {found.proven:9} {found.series:9} {found.memory_bytes / 2**20:4.0f} MiB"
            f" {found.estimated_bytes / 2**20:5.0f} MiB {found.memory_ratio:6.2f} {found.bytes_per_sample:10.0f}"
            f" {found.processor_s_per_sample * 1e6:21.1f} {found.scrape_s_per_sample * 1e6:17.1f}",
            flush=True,
        )
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
