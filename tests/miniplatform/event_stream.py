"""An answer that is read line by line while it goes on, straight from an ASGI app."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

__all__ = ["EventStream"]


class EventStream:
    """One request whose answer is read line by line while it goes on."""

    def __init__(self, app: Any, path: str, query: str, client: Any) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        headers = [(b"authorization", client.headers["authorization"].encode())]
        self._scope = {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers,
            "asgi": {"spec_version": "2.4"}, "http_version": "1.1", "scheme": "http", "server": ("api", 80), "root_path": "",
        }  # fmt: skip
        self._begun, self._left = asyncio.Event(), asyncio.Event()
        self._app = app

    async def __aenter__(self) -> EventStream:
        self._task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left.set()
        self._task.cancel()

    async def begun(self) -> None:
        """Return when the answer has begun."""
        async with asyncio.timeout(60):
            await self._begun.wait()

    async def line(self) -> Any:
        """The next line, parsed; None at the end."""
        async with asyncio.timeout(10):
            chunk = await self._chunks.get()
        return orjson.loads(chunk) if chunk else None

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self._begun.set()
        if message["type"] == "http.response.body":
            for line in filter(None, message.get("body", b"").splitlines()):
                await self._chunks.put(line)
            if not message.get("more_body"):
                await self._chunks.put(b"")
