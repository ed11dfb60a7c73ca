"""Bearer tokens: issued once in clear, kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from miniplatform.store.pool import Connection, Database
from obslib.redaction import Secret

__all__ = ["Bearer", "bearer_of", "is_valid", "issue", "new_token", "revoke_node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whom a token speaks for. Operators have no org; ``node_id`` binds the token to one node."""

    actor_type: str
    actor_id: str
    org_id: str | None
    scopes: frozenset[str]
    node_id: str | None = None
    org_name: str | None = None


def new_token() -> str:
    """A text nobody can guess."""
    return f"mpt_{secrets.token_urlsafe(32)}"


async def issue(connection: Connection, bearer: Bearer, *, text: str | None = None) -> Secret[str]:
    """Make a token for ``bearer`` inside the caller's transaction; its text can be read only from the result."""
    text = text or new_token()
    await connection.execute(
        "INSERT INTO tokens (token_hash, org_id, actor_type, actor_id, scopes, node_id)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (token_hash) DO NOTHING",
        [_hash(text), bearer.org_id, bearer.actor_type, bearer.actor_id, sorted(bearer.scopes), bearer.node_id],
    )
    return Secret(text)


async def revoke_node(connection: Connection, node_id: str) -> None:
    """End every token of a node, as when it is enrolled again."""
    await connection.execute("UPDATE tokens SET revoked_at = now() WHERE node_id = %s AND revoked_at IS NULL", [node_id])


async def bearer_of(database: Database, token: str) -> Bearer | None:
    """Whom ``token`` speaks for; None when it was never issued or has been revoked."""
    row = await database.row(
        "auth",
        "SELECT actor_type, actor_id, t.org_id, scopes, node_id, o.name AS org_name"
        " FROM tokens t LEFT JOIN orgs o USING (org_id) WHERE token_hash = %(hash)s AND revoked_at IS NULL",
        {"hash": _hash(token)},
    )
    return None if row is None else Bearer(**{**row, "scopes": frozenset(row["scopes"])})


async def is_valid(database: Database, token: str) -> bool:
    """Whether ``token`` still speaks for anybody."""
    return await bearer_of(database, token) is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
