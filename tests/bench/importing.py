"""What an import costs, in a process of its own each time."""

from __future__ import annotations

import subprocess
import sys

from bench.harness import Row, Work

__all__ = ["ROWS"]


def _imports() -> tuple[Work, Work]:
    return _import("obslib; obslib.start"), _import("structlog, prometheus_client, opentelemetry.sdk.trace")


def _import(modules: str) -> Work:
    probe = f"import time; a = time.process_time(); import {modules}\nprint(time.process_time() - a)"

    def run(n: int) -> float:
        return sum(
            float(subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True).stdout) for _ in range(n)
        )

    return run


ROWS = (
    Row(
        id="P20", what="import obslib", peer="import structlog, prometheus_client, opentelemetry.sdk.trace", target=1.2,
        make=_imports,
    ),
)  # fmt: skip
