"""Audit trails that fail in every way a real one can."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping

from obslib.access import GENESIS, AuditRecord, AuditSink, SinkFailure
from obslib.testing import MemoryAudit

__all__ = ["BROKEN", "patience_s"]


class _Raising(MemoryAudit):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def append(self, record: AuditRecord, expected_head: str) -> str:
        raise self._error


class _Hanging(MemoryAudit):
    async def append(self, record: AuditRecord, expected_head: str) -> str:
        await asyncio.Event().wait()
        return ""


class _Lying(MemoryAudit):
    async def append(self, record: AuditRecord, expected_head: str) -> str:
        return GENESIS


BROKEN: Mapping[str, Callable[[], AuditSink]] = {
    "write_failed": lambda: _Raising(RuntimeError("out of order")),
    "timeout": _Hanging,
    "connection_lost": lambda: _Raising(ConnectionResetError(errno.ECONNRESET, "reset by peer")),
    "wrong_head": _Lying,
    "disk_full": lambda: _Raising(SinkFailure("no space", reason="disk_full")),
    "closed": lambda: _Raising(SinkFailure("the audit trail is closed", reason="closed")),
}
"""By the reason each is counted under."""


def patience_s(sink: AuditSink) -> float:
    """How long to wait for a trail: hardly for one that never answers, and for any other as long as a loaded machine needs."""
    return 0.01 if isinstance(sink, _Hanging) else 60.0
