"""Signals of what a tenant asks for: releases made, quotas met, and how long it takes until a deploy is placed and serves."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane
from obslib.catalog.families import counter, histogram

_PLANE = Plane.CONTROL_PLANE
_SCHEDULED = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_CONVERGENCE = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@counter("release_create_total", serves=("EXT-11",), plane=_PLANE, components=("control-plane",))
def RELEASE_CREATES(*, result: Annotated[Literal["success", "rejected", "failure"], c.RESULT]) -> None:
    """Releases asked for: made, refused for a reason of the caller's, or not made for a reason of ours."""


@histogram(
    "deploy_convergence_duration_seconds", serves=("EXT-11",), plane=_PLANE, components=("scheduler",), buckets=_CONVERGENCE
)
def DEPLOY_CONVERGENCE(*, result: c.Outcome) -> None:
    """From the event that made a deploy to the decision that it has succeeded or failed; the aim is 99 % within 120 s."""


QuotaDimension = Literal[
    "max_instances", "max_total_memory_bytes", "max_total_cpu_request", "max_envs", "max_apps", "max_routes", "max_hostnames",
    "max_public_ports", "max_ipv4_allocations", "max_volumes", "max_total_volume_bytes", "max_volume_attachments",
    "max_snapshots_per_volume", "max_restore_jobs", "max_log_streams", "max_exec_sessions", "max_exec_sessions_per_hour",
]  # fmt: skip
"""What an org may have only so much of (platform facts §21)."""


@counter("quota_rejections_total", serves=("EXT-04",), plane=_PLANE, components=("control-plane",))
def QUOTA_REJECTIONS(*, reason: Annotated[QuotaDimension, c.REASON]) -> None:
    """Commands refused because their org has as much as it may have, by the quota that was full."""


@histogram(
    "scheduler_time_to_schedule_seconds", serves=("EXT-04",), plane=_PLANE, components=("scheduler",), buckets=_SCHEDULED
)
def TIME_TO_SCHEDULE() -> None:
    """From the wish for an instance, or the loss of one, to its place on a node."""
