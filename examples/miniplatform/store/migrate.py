"""Brings a database to the schema this version needs, whoever of the three processes starts first.

The event log and the audit trail are made append-only by obslib's DDL. The processes work as ``ROLE``, which does not
own a table, so no mistake of theirs can rewrite history. To see what a broken trail does, take the right to write from
them as the superuser, ``REVOKE INSERT ON audit_records FROM miniplatform_app``, and give it back with ``GRANT``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from miniplatform.process import ExitCode, Refusal
from obslib.access import PostgresAudit
from obslib.retention import append_only

__all__ = ["ROLE", "migrate"]

ROLE = "miniplatform_app"
_SCHEMA = Path(__file__).with_name("schema.sql")
_LOCK = 0x6D696E69  # "mini": one migration at a time
_ROLE_DDL = f"""
DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT {ROLE} TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
DO $$ BEGIN GRANT pg_read_all_stats TO {ROLE}; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
"""


async def migrate(database_url: str) -> None:
    """Apply the schema unless this very text has been applied; safe to call from several processes at once.

    Raises Refusal when there is no URL, when it is not one, and when the database does not answer.
    """
    async with await _connect(database_url) as connection, connection.transaction():
        guards = append_only("events", role=ROLE) + append_only("audit_records", role=ROLE)
        script = _SCHEMA.read_text() + PostgresAudit.DDL + _ROLE_DDL + guards
        digest = hashlib.sha256(script.encode()).hexdigest()
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_applied (digest text PRIMARY KEY)")
        applied = await connection.execute("SELECT 1 FROM schema_applied WHERE digest = %s", [digest])
        if await applied.fetchone() is None:
            await connection.execute(script.encode())
            await connection.execute("INSERT INTO schema_applied VALUES (%s)", [digest])


async def _connect(database_url: str) -> psycopg.AsyncConnection:
    if not database_url:
        raise Refusal("no database is given; pass --database-url or set DATABASE_URL", ExitCode.INVALID_USAGE)
    try:
        parts = conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:  # its message may quote the password
        raise Refusal("the database URL is not a PostgreSQL URL; see --database-url", ExitCode.INVALID_USAGE) from None
    where = f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}"
    try:
        return await psycopg.AsyncConnection.connect(database_url, connect_timeout=5)
    except psycopg.OperationalError as error:
        why = str(error).strip().splitlines()[-1].strip()
        password = str(parts.get("password") or "")
        why = why.replace(password, "***") if password else why
        raise Refusal(f"the database at {where} cannot be reached: {why}", ExitCode.TRANSIENT) from None
