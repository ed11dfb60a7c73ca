"""Connections: a small pool that works as the application's role, comes back by itself and is watched."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from typing import Any, Protocol

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from miniplatform.store.migrate import ROLE
from obslib.catalog.platform.terms import DbOperation

__all__ = ["Connection", "Database", "Watch"]

_ALIVE_WITHIN_S = 2.0

Connection = psycopg.AsyncConnection[DictRow]


class Watch(Protocol):
    """What a shim offers to time the pool and its queries."""

    def acquiring(self) -> AbstractContextManager[object]:
        """Around the wait for a connection."""
        ...

    def query(self, operation: DbOperation) -> AbstractContextManager[object]:
        """Around one database operation, named by its class."""
        ...


class Unwatched:
    """For tests and tools that measure nothing."""

    def acquiring(self) -> AbstractContextManager[object]:
        """Nothing around it."""
        return nullcontext()

    def query(self, operation: DbOperation) -> AbstractContextManager[object]:
        """Nothing around it."""
        return nullcontext()


class Database:
    """The pool of one process.

    A database that is away, or silent for ``limit_s`` during one operation, makes a call raise
    ``psycopg.OperationalError``.
    """

    def __init__(self, url: str, *, acquire_timeout_s: float = 5.0, limit_s: float = 10.0) -> None:
        self._limit_s = limit_s
        self._watch: Watch = Unwatched()
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=10,
            timeout=acquire_timeout_s,
            max_idle=600,
            max_lifetime=1800,
            reconnect_timeout=1.0,  # then the next caller tries anew, instead of an ever longer pause
            open=False,
            configure=_work_as_role,
            check=_look_alive,
            kwargs={"row_factory": dict_row, "autocommit": True, "connect_timeout": 3, "keepalives_idle": 5},
            name="miniplatform",
        )

    async def open(self, watch: Watch | None = None) -> None:
        """Start connecting; ``watch`` sees every acquisition and operation from now on."""
        self._watch = watch or self._watch
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give the connections back, waiting for those in use for a second."""
        await self._pool.close(timeout=1.0)

    def figures(self) -> Mapping[str, int]:
        """The pool's present size: ``in_use``, ``idle``, ``maximum`` and ``waiting``."""
        stats = self._pool.get_stats()
        idle = stats.get("pool_available", 0)
        return {
            "in_use": max(stats.get("pool_size", 0) - idle, 0),
            "idle": idle,
            "maximum": stats.get("pool_max", 0),
            "waiting": stats.get("requests_waiting", 0),
        }

    @asynccontextmanager
    async def transaction(self, operation: DbOperation) -> AsyncIterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self._watch.query(operation):
            async with self._acquired() as connection, connection.transaction():
                yield connection

    async def rows(self, operation: DbOperation, query: Any, parameters: Mapping[str, object] | None = None) -> list[DictRow]:
        """The rows of one query."""
        with self._watch.query(operation):
            async with self._acquired() as connection:
                return await (await connection.execute(query, parameters)).fetchall()

    async def row(self, operation: DbOperation, query: Any, parameters: Mapping[str, object] | None = None) -> DictRow | None:
        """The first row of one query, or None."""
        rows = await self.rows(operation, query, parameters)
        return rows[0] if rows else None

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Connection]:
        borrowed: AbstractAsyncContextManager[Connection] = self._pool.connection()
        with self._watch.acquiring():
            connection = await borrowed.__aenter__()
        try:
            with _hung_up_after(self._limit_s, connection):
                yield connection
        except BaseException as error:
            if not await borrowed.__aexit__(type(error), error, error.__traceback__):
                raise
        else:
            await borrowed.__aexit__(None, None, None)


@contextmanager
def _hung_up_after(seconds: float, connection: Connection) -> Iterator[None]:
    """Cut the connection when the block takes longer: cancelling would wait for an answer from a server that gives none."""

    def hang_up() -> None:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as theirs:
            theirs.shutdown(socket.SHUT_RDWR)

    timer = asyncio.get_running_loop().call_later(seconds, hang_up)
    try:
        yield
    finally:
        timer.cancel()


async def _look_alive(connection: Connection) -> None:
    with _hung_up_after(_ALIVE_WITHIN_S, connection):
        await AsyncConnectionPool.check_connection(connection)


async def _work_as_role(connection: Connection) -> None:
    await connection.execute(f"SET ROLE {ROLE}".encode())
