"""Signals about what tenants' workloads write; they count lines, they never hold any."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter

_ON_AGENT = ("agent",)


@counter("workload_log_lines_total", serves=("WLG-06",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_LINES(*, stream: Annotated[Literal["stdout", "stderr"], c.STREAM]) -> None:
    """Console lines captured from workloads."""


@counter("workload_log_bytes_total", serves=("WLG-06",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_BYTES() -> None:
    """Console bytes captured from workloads."""


@counter("workload_log_truncated_lines_total", serves=("WLG-06",), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_TRUNCATED() -> None:
    """Console lines cut at the line cap."""


@counter("workload_log_dropped_bytes_total", serves=("WLG-06", "WLG-07"), plane=Plane.TENANT, components=_ON_AGENT)
def WORKLOAD_LOG_DROPPED_BYTES() -> None:
    """Console bytes given up before anybody had read them, because the console file was full."""
