"""Bytes between a client and a backend, both ways, until both sides have said all they wanted.

A side that closes its half only ends that direction: a client that sends its request and closes still gets
the whole answer. A slow reader slows its writer down; nothing is buffered beyond a few pieces.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

__all__ = ["Parting", "Stream", "splice"]

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_PIECE_BYTES = 64 * 2**10

_Side = Literal["client", "backend"]


@dataclass(slots=True)
class Parting:
    """How a conversation ended: whose side ended first, and whether the backend had said anything by then."""

    first: _Side | None = None
    has_answered: bool = False


async def splice(client: Stream, backend: Stream) -> Parting:
    """Carry bytes until both directions have ended or one of them breaks; both connections are closed after."""
    parting = Parting()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(client[0], backend[1], "client", "backend", parting))
            group.create_task(_carry(backend[0], client[1], "backend", "client", parting))
    except* OSError:
        for _, writer in (client, backend):  # a reset is passed on as a reset
            writer.transport.abort()
    finally:
        for _, writer in (client, backend):
            writer.close()
    return parting


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: _Side, receiver: _Side, parting: Parting
) -> None:
    waits_for = sender
    try:
        while piece := await reader.read(_PIECE_BYTES):
            parting.has_answered |= sender == "backend"
            waits_for = receiver
            writer.write(piece)
            await writer.drain()
            waits_for = sender
    finally:
        parting.first = parting.first or waits_for
    with suppress(OSError):
        writer.write_eof()
