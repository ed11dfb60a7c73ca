"""What a scraper reads: valid in both formats, constant labels on every sample, rendered once for many."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from obslib.catalog import Counter, Gauge, Histogram
from obslib.catalog.platform import PLATFORM, control_plane
from obslib.ids import ulid
from obslib.metrics.exposition import Scrapes

Rig = Callable[..., Any]

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
COMPONENTS = ("control-plane", "projector", "scheduler", "agent", "edge")


class Clock:
    """Stands still."""

    def now(self) -> float:
        """One instant."""
        return 1_700_000_000.25


def busy(rig: Rig, component: str) -> Any:
    """A registry of a platform component with a series in every family it may export."""
    on_node = PLATFORM.component(component).has_node
    r = rig(catalog=PLATFORM, component=component, constant={"node_id": f"node_{ulid(1, 1)}"} if on_node else {}, clock=Clock())
    for kind in (Counter, Gauge, Histogram):
        for declaration in PLATFORM.of(kind, component):
            values = {
                use.name: (
                    PLATFORM.values(use, component) or (f"{use.label.id_prefix}_{ulid(1, 1)}" if use.label.id_prefix else "7",)
                )[0]
                for use in declaration.labels
            }
            handle = r.registry[declaration].labels(**values)
            (handle.set if kind is Gauge else handle.observe if kind is Histogram else handle.inc)(0.5)
    return r


@pytest.mark.parametrize("component", COMPONENTS)
def test_promtool_has_nothing_to_say(rig: Rig, component: str) -> None:
    """The exposition of every component passes ``promtool check metrics`` without a word."""
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("OBSLIB_REQUIRE_REAL") == "1":
            pytest.fail("promtool is not installed, and OBSLIB_REQUIRE_REAL=1; install Debian's package 'prometheus'")
        pytest.skip("promtool is not installed")
    body, _ = busy(rig, component).registry.exposition()
    checked = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=30, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.parametrize("component", COMPONENTS)
def test_both_formats_say_the_same_with_constant_labels_everywhere(rig: Rig, component: str) -> None:
    """Text and OpenMetrics parse, hold the same samples, and each sample carries the constant labels."""
    registry = busy(rig, component).registry
    wanted = {"component": component} | ({"node_id": f"node_{ulid(1, 1)}"} if component in ("agent", "edge") else {})
    # Figures of the process itself move between two scrapes.
    moving = re.compile(r"process_|python_")
    seen = []
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        samples = [s for m in parse(registry.exposition(accept)[0].decode()) for s in m.samples]
        assert all(wanted.items() <= sample.labels.items() for sample in samples)
        assert {"process_resident_memory_bytes", "python_gc_collections_total", "python_info"} <= {s.name for s in samples}
        seen.append({(s.name, tuple(sorted(s.labels.items())), s.value) for s in samples if not moving.match(s.name)})
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("application/openmetrics-text;version=nonsense", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=99", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0, text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0.2, text/plain;version=1.0.0", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_the_accept_header_chooses_the_format(rig: Rig, accept: str, content_type: str) -> None:
    """OpenMetrics for who prefers it, text for everybody else, and never a version that a client made up."""
    body, found = rig().registry.exposition(accept)
    assert found == content_type
    assert body.endswith(b"# EOF\n") is found.startswith("application/openmetrics-text")


def test_exemplars_are_rendered_in_openmetrics_only(rig: Rig) -> None:
    """A bucket shows the trace it stands for, with its value and time; the text format has no place for it."""
    r = rig(catalog=PLATFORM, component="control-plane", clock=Clock())
    duration = r.registry[control_plane.HTTP_REQUEST_DURATION].labels(method="GET", path_template="/v1/orgs")
    duration.observe(0.2, exemplar={"trace_id": "0af7651916cd43dd8448eb211c80319c"})
    body = r.registry.exposition(OPENMETRICS)[0].decode()
    assert (
        'http_request_duration_seconds_bucket{component="control-plane",le="0.25",method="GET",path_template="/v1/orgs"}'
        ' 1.0 # {trace_id="0af7651916cd43dd8448eb211c80319c"} 0.2 1700000000.25\n'
    ) in body
    assert "trace_id" not in r.registry.exposition()[0].decode()


class Slow(Collector):
    """Counts how often it is collected, and waits until it is let go."""

    def __init__(self) -> None:
        self.collected = 0
        self.entered = threading.Event()
        self.go = threading.Event()

    def collect(self) -> Iterable[Metric]:
        """One figure: how often this was called."""
        self.collected += 1
        self.entered.set()
        self.go.wait(10)
        metric = Metric("collected", "How often.", "gauge")
        metric.add_sample("collected", {}, self.collected)
        return [metric]


def test_scrapes_at_the_same_time_are_rendered_once() -> None:
    """Those that arrive during a rendering share the next one, and never see figures older than their arrival."""
    slow = Slow()
    scrapes = Scrapes(slow)
    bodies: list[bytes] = []

    class Arrivals:
        """Notes that a scrape has arrived, when it asks for the lock."""

        def __init__(self) -> None:
            self.lock = self
            self._lock = threading.RLock()
            self.count = threading.Semaphore(0)

        def __enter__(self) -> None:
            self.count.release()
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()

    arrivals = Arrivals()
    scrapes._latch = arrivals
    threads = [threading.Thread(target=lambda: bodies.append(scrapes.render("")[0])) for _ in range(20)]
    threads[0].start()
    assert slow.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    for _ in threads:
        assert arrivals.count.acquire(timeout=10)
    slow.go.set()
    for thread in threads:
        thread.join()
    assert slow.collected == 2
    assert sorted(body.decode().splitlines()[-1] for body in bodies) == ["collected 1.0"] + ["collected 2.0"] * 19
    assert scrapes.render("")[0].endswith(b"collected 3.0\n")
