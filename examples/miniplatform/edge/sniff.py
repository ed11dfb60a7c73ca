"""Listening in on the beginning of a client's connection, for a bounded time and a bounded number of bytes."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field

from miniplatform.edge.client_hello import HelloReader
from obslib.catalog.platform.edge import SniffResult

__all__ = ["Sniffed", "sniff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What was heard: ``hostname`` if the result is ``ok``, and the bytes that are still to be passed on."""

    result: SniffResult
    hostname: str = ""
    said: bytes = field(default=b"", repr=False)


async def sniff(connection: socket.socket, *, timeout_s: float) -> Sniffed:
    """Read from a non-blocking socket until the name is known, or it is known that there is none.

    ``timeout_s`` is for all of it, so a client that sends byte after byte gains nothing. What has arrived by then counts,
    even when the edge was too busy to look before. A client that leaves before it has said enough is an ``io_error``.
    """
    until = asyncio.get_running_loop().time() + timeout_s
    reader = HelloReader()
    is_last_look = False
    while True:
        hello = None
        try:
            piece = connection.recv(reader.room)
        except BlockingIOError:
            pass
        except OSError:
            return Sniffed(result="io_error")
        else:
            if not piece:
                return Sniffed(result="io_error")
            hello = reader.feed(piece)
        if hello is not None:
            return Sniffed(result=hello.result, hostname=hello.hostname, said=bytes(reader.said))
        if is_last_look:
            return Sniffed(result="timeout")
        is_last_look = not await _has_arrived(connection, until)


async def _has_arrived(connection: socket.socket, until: float) -> bool:
    """Wait for more to read; False when there is none at ``until``."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(connection, arrived.set)
    try:
        async with asyncio.timeout_at(until):
            await arrived.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(connection)
    return True
