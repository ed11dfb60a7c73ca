"""One small HTTP server that answers for every process of a platform of some size, each at its worst or as it begins."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from obslib.budget import PlatformSize
from obslib.catalog import Family
from obslib.catalog.platform import PLATFORM
from obslib.ids import ulid
from obslib.metrics import Registry
from tests.catalog.brim import Brim, a_registry, record

__all__ = ["Farm", "begun", "farm", "full"]

_NODE = f"node_{ulid(0, 0)}"
_ROUNDS_KEPT = 8


def full(component: str) -> Registry:
    """A registry of ``component`` that holds every series it can hold."""
    registry = _registry(component)
    Brim(PLATFORM, component).fill(registry)
    return registry


def begun(component: str) -> Registry:
    """A registry of ``component`` before anything has happened: what starts at 0, and gauges without labels."""
    registry = _registry(component)
    for family in PLATFORM.of(Family, component):
        if family.labels:
            registry[family]
        else:
            record(registry, family, {})
    return registry


def _registry(component: str) -> Registry:
    constant = {"node_id": _NODE} if PLATFORM.components[component].has_node else {}
    return a_registry(PLATFORM, component, **constant)


class Exposition:
    """What the processes of one component expose, scrape by scrape: figures that move, as those of a busy process do."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._rounds: dict[int, bytes] = {}
        self._lines = [
            (head, float(value)) if line[:1] not in ("#", "") else (line, None)
            for line in self._registry.exposition()[0].decode().split("\n")
            for head, _, value in [line.rpartition(" ")]
        ]

    @property
    def samples(self) -> int:
        """Samples in one scrape."""
        return sum(value is not None for _, value in self._lines)

    def render(self) -> bytes:
        """As the first process of the component has it: rendered when it is asked for."""
        return self._registry.exposition()[0]

    def of(self, number: int, turn: int) -> bytes:
        """As another process has it in its scrape ``turn``; the same for all of them but for the node's name."""
        with self._lock:
            if turn not in self._rounds:
                self._rounds[turn] = self._moved(turn)
                self._rounds.pop(turn - _ROUNDS_KEPT, None)
            return self._rounds[turn].replace(_NODE.encode(), f"node_{ulid(number, number)}".encode())

    def _moved(self, turn: int) -> bytes:
        """Four figures in five grow by a whole number at a pace of their own, the fifth is a measurement that wanders."""
        noise = random.Random(turn)
        return "\n".join(
            head if value is None
            else f"{head} {value + turn * (position % 11) * 0.137 + noise.random()}" if position % 5 == 0
            else f"{head} {value + int(turn * (1 + position % 7) * 1.3)}"
            for position, (head, value) in enumerate(self._lines)
        ).encode()  # fmt: skip


class Farm:
    """The targets of a platform of ``size`` and how often each was scraped."""

    def __init__(self, size: PlatformSize, process: Callable[[str], Registry], port: int) -> None:
        self.port = port
        self.processes = {name: size.processes_of(component) for name, component in PLATFORM.components.items()}
        self.scrapes: Counter[str] = Counter()
        self.bytes_sent = 0
        self.samples_sent = 0
        self._lock = threading.Lock()
        self._expositions = {name: Exposition(process(name)) for name in self.processes}

    def answer(self, path: str) -> bytes:
        """The exposition of the process that is found at ``path``: its component and its number."""
        component, number = path.strip("/").split("/")
        self.scrapes[path] += 1
        exposition = self._expositions[component]
        body = exposition.of(int(number), self.scrapes[path]) if int(number) else exposition.render()
        with self._lock:
            self.bytes_sent += len(body)
            self.samples_sent += exposition.samples
        return body

    def aim(self, directory: Path) -> None:
        """Write the targets files beside a rendered configuration in ``directory``."""
        (directory / "targets").mkdir(exist_ok=True)
        for name, processes in self.processes.items():
            targets = [
                {
                    "targets": [f"127.0.0.1:{self.port}"],
                    "labels": {
                        "__metrics_path__": f"/{name}/{number}",
                        "instance": f"10.0.{number // 250}.{number % 250}:9464",
                    },
                }
                for number in range(processes)
            ]
            (directory / "targets" / f"{name}.json").write_text(json.dumps(targets))

    @property
    def rounds(self) -> int:
        """How often every target was scraped at least."""
        return min(self.scrapes.values()) if len(self.scrapes) == sum(self.processes.values()) else 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    farm: ClassVar[Farm]

    def do_GET(self) -> None:
        body = self.farm.answer(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a scraper that gave up: it counts that itself."""


@contextmanager
def farm(size: PlatformSize, process: Callable[[str], Registry] = full) -> Iterator[Farm]:
    """A farm that answers on a free port of the loopback until the block ends; ``process`` makes one of a component."""
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        handler.farm = found = Farm(size, process, server.server_address[1])
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield found
        finally:
            server.shutdown()
            serving.join()
