"""Appends to chains in turn, on a head that is known or asked for; what prevented it is a value, so that nobody forgets it."""

from __future__ import annotations

import asyncio

from obslib.access.audit.chain import digest
from obslib.access.audit.record import AuditRecord
from obslib.access.audit.sink import AuditSink, FailureReason, SinkFailure, WrongHead

__all__ = ["ChainWriter"]

_TRIES = 5


class ChainWriter:
    """The one writer of this process. Records of one chain wait for each other, those of different chains do not."""

    def __init__(self, sink: AuditSink) -> None:
        self._sink = sink
        self._chains: dict[str, _Chain] = {}

    async def append(self, record: AuditRecord) -> SinkFailure | None:
        """Add ``record`` to its chain, again when another process was faster; the failure, when it may not have been kept."""
        chain = self._chains.setdefault(record.org_id, _Chain())
        async with chain.turn:
            try:
                await self._link(chain, record)
            except BaseException as error:
                chain.head = None  # whether the record was kept is not known
                if not isinstance(error, Exception):
                    raise
                return error if isinstance(error, SinkFailure) else SinkFailure(type(error).__name__, reason=_reason(error))
        return None

    async def _link(self, chain: _Chain, record: AuditRecord) -> None:
        for tries in range(1, _TRIES + 1):
            head = chain.head if chain.head is not None else await self._sink.head(record.org_id)
            try:
                made = await self._sink.append(record, head)
            except WrongHead:
                chain.head = None
                if tries == _TRIES:
                    raise
                continue
            if made != digest(head, record):
                raise WrongHead(record.org_id)
            chain.head = made
            return


class _Chain:
    """What is known of one chain: its end, unless another may have moved it, and whose turn it is to append."""

    def __init__(self) -> None:
        self.head: str | None = None
        self.turn = asyncio.Lock()


def _reason(error: Exception) -> FailureReason:
    match error:
        case TimeoutError():
            return "timeout"
        case ConnectionError():
            return "connection_lost"
        case _:
            return "write_failed"
