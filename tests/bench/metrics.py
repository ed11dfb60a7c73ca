"""Counters, histograms and the exposition, against prometheus-client."""

from __future__ import annotations

import prometheus_client

from bench.harness import Row, Work
from bench.subject import BUCKETS, REQUESTS, SECONDS, subject

__all__ = ["ROWS"]


def _bound_counter() -> tuple[Work, Work]:
    ours = subject().metrics[REQUESTS].labels(method="GET", code="200").inc
    theirs = _peer_counter().labels("GET", "200").inc
    return _repeat(ours), _repeat(theirs)


def _checked_labels() -> tuple[Work, Work]:
    labels = subject().metrics[REQUESTS].labels
    theirs = _peer_counter().labels("GET", "200").inc

    def ours(n: int) -> None:
        for _ in range(n):
            labels(method="GET", code="200").inc()

    return ours, _repeat(theirs)


def _histogram() -> tuple[Work, Work]:
    ours = subject().metrics[SECONDS].labels(method="GET").observe
    theirs = _peer_histogram().labels("GET").observe
    return _repeat_with(ours, 0.03), _repeat_with(theirs, 0.03)


def _histogram_with_exemplar() -> tuple[Work, Work]:
    ours = subject().metrics[SECONDS].labels(method="GET").observe
    theirs = _peer_histogram().labels("GET").observe
    exemplar = {"trace_id": "0af7651916cd43dd8448eb211c80319c"}

    def run_ours(n: int) -> None:
        for _ in range(n):
            ours(0.03, exemplar)

    def run_theirs(n: int) -> None:
        for _ in range(n):
            theirs(0.03, exemplar)

    return run_ours, run_theirs


def _peer_counter() -> prometheus_client.Counter:
    return prometheus_client.Counter(
        "peer_requests", "Peer.", ["method", "code"], registry=prometheus_client.CollectorRegistry()
    )


def _peer_histogram() -> prometheus_client.Histogram:
    return prometheus_client.Histogram(
        "peer_seconds", "Peer.", ["method"], buckets=BUCKETS, registry=prometheus_client.CollectorRegistry()
    )


def _repeat(call: Work) -> Work:
    def run(n: int) -> None:
        for _ in range(n):
            call()  # type: ignore[call-arg]

    return run


def _repeat_with(call: Work, value: float) -> Work:
    def run(n: int) -> None:
        for _ in range(n):
            call(value)  # type: ignore[arg-type]

    return run


ROWS = (
    Row(id="P6", what="bound counter inc()", peer="prometheus-client bound child", target=0.20, make=_bound_counter),
    Row(id="P7", what="checked labels(...) and inc()", peer="prometheus-client bound child", target=0.60, make=_checked_labels),
    Row(id="P8", what="histogram observe(), 12 buckets", peer="prometheus-client bound child", target=0.15, make=_histogram),
    Row(id="P9", what="observe() with exemplar", peer="prometheus-client likewise", target=0.25, make=_histogram_with_exemplar),
)
