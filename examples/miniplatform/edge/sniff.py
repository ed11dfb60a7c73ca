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

    ``timeout_s`` is for all of it, so a client that sends byte after byte gains nothing. A client that leaves before
    it has said enough is an ``io_error``.
    """
    loop = asyncio.get_running_loop()
    reader = HelloReader()
    try:
        async with asyncio.timeout(timeout_s):
            while piece := await loop.sock_recv(connection, reader.room):
                hello = reader.feed(piece)
                if hello is not None:
                    return Sniffed(result=hello.result, hostname=hello.hostname, said=bytes(reader.said))
    except TimeoutError:
        return Sniffed(result="timeout")
    except OSError:
        pass
    return Sniffed(result="io_error")
