"""Replies kept for commands that are sent again: the same key and body get the same answer, another body a conflict."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Json
from starlette.responses import Response

from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.problems import InvalidArgument, Refused
from miniplatform.store.events import Conflict
from miniplatform.store.pool import Connection, Database
from obslib_control_plane import Problem

__all__ = ["Key", "forget_old", "keep", "key_of", "stored", "take"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A client's key within its scope (org, actor, endpoint), and what it was sent with."""

    org_id: str
    actor_id: str
    endpoint: str
    key: str
    body_hash: str

    def parameters(self) -> dict[str, object]:
        """For a query."""
        return {
            "org": self.org_id, "actor": self.actor_id, "endpoint": self.endpoint, "key": self.key, "hash": self.body_hash,
        }  # fmt: skip


async def key_of(call: Call, org_id: str) -> Key | None:
    """The request's ``Idempotency-Key``, 8 to 128 characters; None when it has none."""
    text = call.request.headers.get("idempotency-key")
    if text is None:
        return None
    if not 8 <= len(text) <= 128:
        raise InvalidArgument("Idempotency-Key must have 8 to 128 characters")
    body_hash = hashlib.sha256(await call.raw()).hexdigest()
    endpoint = f"{call.request.method} {call.request.url.path}"
    return Key(org_id=org_id, actor_id=call.bearer.actor_id, endpoint=endpoint, key=text, body_hash=body_hash)


async def stored(call: Call, key: Key) -> Response | None:
    """The reply kept under ``key``; raises Refused (409) when the key was used with another body."""
    row = await call.platform.database.row(
        "idempotency",
        "SELECT request_hash, response FROM idempotency_keys WHERE org_id = %(org)s AND actor_id = %(actor)s"
        " AND endpoint = %(endpoint)s AND idempotency_key = %(key)s",
        key.parameters(),
    )
    if row is None:
        return None
    if row["request_hash"] != key.body_hash:
        call.platform.telemetry.commands.contradicted()
        detail = "this Idempotency-Key was used with another body; use a fresh key for another command"
        raise Refused(Problem(status=409, detail=detail, code="idempotency_key_reuse"))
    call.platform.telemetry.commands.repeated()
    return reply(row["response"], 201)


async def take(connection: Connection, key: Key) -> None:
    """Take the key in the transaction that does the work, before anything else; raises Conflict when it is taken.

    Two requests with one key wait for each other here, so the second finds the first one's reply.
    """
    taken = await connection.execute(
        "INSERT INTO idempotency_keys (org_id, actor_id, endpoint, idempotency_key, request_hash)"
        " VALUES (%(org)s, %(actor)s, %(endpoint)s, %(key)s, %(hash)s) ON CONFLICT DO NOTHING",
        key.parameters(),
    )
    if taken.rowcount == 0:
        raise Conflict("the same command is being answered; read its reply")


async def keep(connection: Connection, key: Key, answer: Mapping[str, Any]) -> None:
    """Keep ``answer`` under the key taken in this transaction."""
    await connection.execute(
        "UPDATE idempotency_keys SET status = 201, response = %(answer)s WHERE org_id = %(org)s AND actor_id = %(actor)s"
        " AND endpoint = %(endpoint)s AND idempotency_key = %(key)s",
        {**key.parameters(), "answer": Json(answer)},
    )


async def forget_old(database: Database) -> None:
    """Drop replies older than two days; they are promised for one."""
    async with database.transaction("idempotency") as connection:
        await connection.execute("DELETE FROM idempotency_keys WHERE created_at < now() - interval '2 days'")
