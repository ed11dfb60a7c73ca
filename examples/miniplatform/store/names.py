"""Names that must be unique, claimed in the transaction that appends the event which uses them.

A view cannot promise uniqueness: it may be a moment behind. A claim can, since the database lets only one
of two transactions have it.
"""

from __future__ import annotations

from miniplatform.store.events import Conflict
from miniplatform.store.pool import Connection

__all__ = ["claim", "holder", "release"]


async def claim(connection: Connection, scope: str, name: str, aggregate_id: str) -> None:
    """Take ``name`` within ``scope``, such as ``env of app_…``, for ``aggregate_id``; raises Conflict when another has it."""
    taken = await connection.execute(
        "INSERT INTO name_claims (scope, name, aggregate_id) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [scope, name, aggregate_id],
    )
    if taken.rowcount == 0 and await holder(connection, scope, name) != aggregate_id:
        raise Conflict(f"the {scope.partition(' of ')[0]} {name!r} is taken; choose another")


async def holder(connection: Connection, scope: str, name: str) -> str | None:
    """Who has ``name`` within ``scope``."""
    found = await connection.execute("SELECT aggregate_id FROM name_claims WHERE scope = %s AND name = %s", [scope, name])
    row = await found.fetchone()
    return None if row is None else str(row["aggregate_id"])


async def release(connection: Connection, aggregate_id: str) -> int:
    """Give back every name ``aggregate_id`` has; returns how many there were."""
    return (await connection.execute("DELETE FROM name_claims WHERE aggregate_id = %s", [aggregate_id])).rowcount
