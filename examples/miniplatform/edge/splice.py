"""Bytes between a client and a backend, both ways, until both sides have said all they wanted.

A side that closes its half only ends that direction: a client that sends its request and closes still gets
the whole answer. A slow reader slows its writer down; nothing is buffered beyond a few pieces.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from miniplatform.edge.upstream import Stream

__all__ = ["splice"]

_PIECE_BYTES = 64 * 2**10


async def splice(client: Stream, backend: Stream) -> None:
    """Carry bytes until both directions have ended or one of them breaks; both connections are closed after."""
    directions = (_carry(client[0], backend[1]), _carry(backend[0], client[1]))
    try:
        async with asyncio.TaskGroup() as group:
            for direction in directions:
                group.create_task(direction)
    except* OSError:
        for _, writer in (client, backend):  # a reset is passed on as a reset
            writer.transport.abort()
    finally:
        for _, writer in (client, backend):
            writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
