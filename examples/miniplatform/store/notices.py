"""Wake-up calls from the database: something was appended, or a view has moved.

A notice says nothing but "look again"; whoever waits also looks by itself after a while, so a lost notice
costs time, never correctness.
"""

from __future__ import annotations

import asyncio

import psycopg

__all__ = ["Notices"]


class Notices:
    """Listens on channels with a connection of its own; run it as a task."""

    def __init__(self, database_url: str, *channels: str) -> None:
        self._url = database_url
        self._channels = channels
        self._heard = asyncio.Condition()
        self.count = 0

    async def run(self) -> None:
        """Listen until cancelled; reconnects every half second while the database is away."""
        while True:
            try:
                await self._listen()
            except psycopg.Error:
                await asyncio.sleep(0.5)

    async def after(self, count: int, *, timeout_s: float) -> None:
        """Return once ``self.count`` has passed ``count`` (read it before you look), or after ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s), self._heard:
                await self._heard.wait_for(lambda: self.count > count)
        except TimeoutError:
            return

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, connect_timeout=3) as connection:
            for channel in self._channels:
                await connection.execute(f"LISTEN {channel}".encode())
            await self._ring()
            async for _ in connection.notifies():
                await self._ring()

    async def _ring(self) -> None:
        async with self._heard:
            self.count += 1
            self._heard.notify_all()
