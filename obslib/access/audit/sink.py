"""What keeps audit records must promise, and how it says that it cannot."""

from __future__ import annotations

from typing import Literal, Protocol

from obslib.access.audit.record import AuditRecord

__all__ = ["AuditSink", "FailureReason", "SinkFailure", "WrongHead"]

FailureReason = Literal["write_failed", "timeout", "connection_lost", "wrong_head", "disk_full", "closed"]


class AuditSink(Protocol):
    """Keeps one chain of records per org. Both methods may raise anything; the Auditor then refuses the reading."""

    async def head(self, org_id: str) -> str:
        """The hash of the newest record in ``org_id``'s chain, ``GENESIS`` for an empty one."""
        ...

    async def append(self, record: AuditRecord, expected_head: str) -> str:
        """Add ``record`` after the record of hash ``expected_head`` and return the new head.

        When it returns, the record survives a crash of the machine. Raises WrongHead when the chain of
        ``record.org_id`` ends elsewhere, and SinkFailure when the record may not have been kept.
        """
        ...


class SinkFailure(Exception):
    """The record may not have been kept; ``reason`` is the closed word it is counted under."""

    def __init__(self, message: str, *, reason: FailureReason = "write_failed") -> None:
        super().__init__(message)
        self.reason: FailureReason = reason


class WrongHead(SinkFailure):
    """Another record was appended since the caller looked; ask for the head again."""

    def __init__(self, org_id: str) -> None:
        super().__init__(f"the audit chain of {org_id!r} does not end where the caller thought", reason="wrong_head")
