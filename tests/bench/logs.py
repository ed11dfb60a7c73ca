"""Log lines, against structlog in its documented performance configuration (orjson, bytes logger, cached)."""

from __future__ import annotations

import logging
import os
from typing import Any

import orjson
import structlog

from bench.harness import Row, Work
from bench.subject import subject

__all__ = ["ROWS"]

IDS = {
    "org_id": "org_01J00000000000000000000000", "app_id": "app_01J00000000000000000000000",
    "env_id": "env_01J00000000000000000000000", "instance_id": "inst_01J00000000000000000000000",
    "node_id": "node_01J00000000000000000000000", "deploy_id": "dep_01J00000000000000000000000",
}  # fmt: skip


def _info() -> tuple[Work, Work]:
    ours, theirs = _ours().bind(**IDS), _theirs().bind(**IDS)

    def run_ours(n: int) -> None:
        for number in range(n):
            ours.info("appended", event_number=number, duration_seconds=0.0123, decision="allocated")

    def run_theirs(n: int) -> None:
        for number in range(n):
            theirs.info("appended", event_number=number, duration_seconds=0.0123, decision="allocated")

    return run_ours, run_theirs


def _filtered() -> tuple[Work, Work]:
    ours, theirs = _ours().bind(**IDS), _theirs().bind(**IDS)

    def run_ours(n: int) -> None:
        for number in range(n):
            ours.debug("appended", event_number=number)

    def run_theirs(n: int) -> None:
        for number in range(n):
            theirs.debug("appended", event_number=number)

    return run_ours, run_theirs


def _exception() -> tuple[Work, Work]:
    ours, theirs = _ours().bind(**IDS), _theirs().bind(**IDS)
    error = _raised(8)

    def run_ours(n: int) -> None:
        for _ in range(n):
            ours.error("append failed", exc_info=error)

    def run_theirs(n: int) -> None:
        for _ in range(n):
            theirs.error("append failed", exc_info=error)

    return run_ours, run_theirs


def _ours() -> Any:
    return subject().log


def _theirs() -> Any:
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=open(os.devnull, "wb")),  # noqa: SIM115 - lives as long as the process
    )
    return structlog.get_logger()


def _raised(frames: int) -> ValueError:
    def fall(depth: int) -> None:
        if depth == 0:
            raise ValueError("sequence clash")
        fall(depth - 1)

    try:
        fall(frames - 2)
    except ValueError as error:
        return error
    raise AssertionError


_PEER = "structlog (orjson, bytes logger, cached)"
ROWS = (
    Row(id="P1", what="info line, 6 bound ids and 3 fields", peer=_PEER, target=0.30, make=_info),
    Row(id="P4", what="filtered-out debug call", peer=_PEER, target=1.0, make=_filtered),
    Row(id="P5", what="exception line, 8 frames", peer=_PEER, target=0.10, make=_exception),
)
