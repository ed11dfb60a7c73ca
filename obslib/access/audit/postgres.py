"""The audit trail in a PostgreSQL table that only grows.

The host lends connections (a pool of its own, as the role that may insert and select); psycopg is touched only when
a call fails, so that this module can be imported without the extra.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from obslib.access.audit.chain import GENESIS, Breach, ChainWalk, Link, digest, is_chain_name
from obslib.access.audit.record import AuditRecord
from obslib.access.audit.selection import Access, AuditSelection
from obslib.access.audit.sink import SinkFailure, WrongHead
from obslib.access.grant import Grant
from obslib.access.scopes import Scope

__all__ = ["Connection", "PostgresAudit"]

_PAGE = 1_000


class Connection(Protocol):
    """As much of an asynchronous psycopg connection as is needed here; rows must be mappings (``dict_row``)."""

    async def execute(self, query: Any, params: Any = None) -> Any:
        """Run one statement."""
        ...


class PostgresAudit:
    """Records in the table ``audit_records`` of ``DDL``, each committed before ``append`` returns.

    ``transaction`` opens one transaction on a connection whose rows are mappings, commits it when the block ends and
    rolls it back when it raises. Several processes may append to one chain: the database lets only one follow a head.
    Guard the table with ``obslib.retention.append_only("audit_records", role=…)``.
    """

    DDL = """
CREATE TABLE IF NOT EXISTS audit_records (
    org_id   text        NOT NULL,
    seq      bigint      NOT NULL CHECK (seq >= 1),
    event_id text        NOT NULL,
    at       timestamptz NOT NULL,
    previous text        NOT NULL,
    hash     text        NOT NULL,
    record   jsonb       NOT NULL,
    PRIMARY KEY (org_id, seq),
    UNIQUE (org_id, previous)
);
CREATE INDEX IF NOT EXISTS audit_records_by_time ON audit_records (org_id, at);
CREATE INDEX IF NOT EXISTS audit_records_by_beginning ON audit_records (org_id, (record ->> 'opened_by'))
    WHERE record ->> 'phase' = 'close';
"""

    def __init__(self, transaction: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        self._transaction = transaction

    async def head(self, org_id: str) -> str:
        """The hash of the newest record in ``org_id``'s chain."""
        rows = await self._rows(_HEAD, {"org": org_id})
        return str(rows[0]["hash"]) if rows else GENESIS

    async def append(self, record: AuditRecord, expected_head: str) -> str:
        """Insert ``record`` if the chain still ends at ``expected_head``, durably whatever the session's defaults are."""
        if not is_chain_name(record.org_id):
            raise SinkFailure(f"{record.org_id[:40]!r} is no id of an org, so it can name no chain of records")
        made = digest(expected_head, record)
        values = {
            "org": record.org_id, "event": record.event_id, "at": record.timestamp, "previous": expected_head, "hash": made,
            "record": record.canonical().decode(), "genesis": GENESIS,
        }  # fmt: skip
        async with self._translated(record.org_id), self._transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = on")
            if not await (await connection.execute(_APPEND, values)).fetchall():
                raise WrongHead(record.org_id)
        return made

    async def read(self, grant: Grant, selection: AuditSelection) -> list[Access]:
        """The org's accesses that match, oldest first; needs a grant for ``audit:read``."""
        wanted = {"org": grant.require(Scope.AUDIT_READ), **selection.parameters()}
        return [
            Access(opened=AuditRecord.of(row["opened"]), closed=AuditRecord.of(row["closed"]) if row["closed"] else None)
            for row in reversed(await self._rows(_SELECT, wanted))
        ]

    async def walk(self, grant: Grant, *, head: str | None = None) -> ChainWalk:
        """The org's whole chain, verified from its beginning; needs a grant for ``audit:read``.

        ``head`` is a hash that was noted earlier, without which nobody sees that the newest records were cut off.
        """
        walk = ChainWalk(head=head)
        try:
            async for link in self.links(grant.require(Scope.AUDIT_READ)):
                if walk.take(link) is not None:
                    break
        except (KeyError, TypeError, ValueError):  # what stands there is no audit record any more
            walk.breach = Breach(seq=walk.seq + 1, kind="changed")
        walk.end()
        return walk

    async def links(self, org_id: str) -> AsyncIterator[Link]:
        """A chain from its beginning; for the platform's own checks, not for a caller's request."""
        after = 0
        while rows := await self._rows(_LINKS, {"org": org_id, "after": after, "limit": _PAGE}):
            for row in rows:
                yield Link(seq=row["seq"], previous=row["previous"], hash=row["hash"], record=AuditRecord.of(row["record"]))
            after = rows[-1]["seq"]

    async def _rows(self, query: str, parameters: Mapping[str, object]) -> Sequence[Any]:
        async with self._translated(str(parameters["org"])), self._transaction() as connection:
            found: Sequence[Any] = await (await connection.execute(query, parameters)).fetchall()
            return found

    @asynccontextmanager
    async def _translated(self, org_id: str) -> AsyncIterator[None]:
        """Say in the trail's own words what psycopg raised."""
        import psycopg

        try:
            yield
        except psycopg.errors.UniqueViolation:
            raise WrongHead(org_id) from None
        except psycopg.errors.DiskFull as error:
            raise SinkFailure("the database's disk is full", reason="disk_full") from error
        except psycopg.OperationalError as error:
            raise SinkFailure("the database of the audit trail does not answer", reason="connection_lost") from error
        except psycopg.Error as error:
            raise SinkFailure(f"the database refused the audit record ({type(error).__name__})") from error


_HEAD = "SELECT hash FROM audit_records WHERE org_id = %(org)s ORDER BY seq DESC LIMIT 1"
_APPEND = """
WITH newest AS (SELECT seq, hash FROM audit_records WHERE org_id = %(org)s ORDER BY seq DESC LIMIT 1)
INSERT INTO audit_records (org_id, seq, event_id, at, previous, hash, record)
SELECT %(org)s, coalesce((SELECT seq FROM newest), 0) + 1, %(event)s, %(at)s, %(previous)s, %(hash)s, %(record)s::jsonb
WHERE coalesce((SELECT hash FROM newest), %(genesis)s) = %(previous)s
RETURNING seq
"""
_SELECT = """
SELECT o.record AS opened, c.record AS closed FROM audit_records o LEFT JOIN audit_records c
  ON c.org_id = o.org_id AND c.record ->> 'phase' = 'close' AND c.record ->> 'opened_by' = o.event_id
WHERE o.org_id = %(org)s AND o.record ->> 'phase' <> 'close'
  AND (%(app)s = '' OR o.record -> 'selectors' ->> 'app_id' = %(app)s)
  AND (%(env)s = '' OR o.record -> 'selectors' ->> 'env_id' = %(env)s)
  AND (%(route)s = '' OR o.record -> 'selectors' ->> 'route_id' = %(route)s)
  AND (%(since)s::timestamptz IS NULL OR o.at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR o.at < %(until)s)
ORDER BY o.seq DESC LIMIT %(limit)s
"""
_LINKS = (
    "SELECT seq, previous, hash, record FROM audit_records WHERE org_id = %(org)s AND seq > %(after)s"
    " ORDER BY seq LIMIT %(limit)s"
)
