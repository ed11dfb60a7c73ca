"""The audit trail in a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from obslib.access import (
    GENESIS,
    Access,
    Actor,
    Auditor,
    AuditSelection,
    Breach,
    PostgresAudit,
    Resource,
    Scope,
    SinkFailure,
    WrongHead,
    verify,
)
from obslib.errors import AccessDenied, AuditUnavailable
from obslib.retention import append_only
from obslib.testing import observability
from tests.access.audit.records import OURS, THEIRS, a_record

ROLE = "audit_app"


@pytest.fixture
def admin(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection to a database whose trail only grows."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"DO $$ BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        connection.execute(PostgresAudit.DDL + append_only("audit_records", role=ROLE))
        yield connection


@pytest.fixture
def trail(admin: psycopg.Connection[Any], database_url: str) -> PostgresAudit:
    """The trail, as the application's role."""

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Any]:
        async with await psycopg.AsyncConnection.connect(database_url, row_factory=dict_row) as connection:
            await connection.execute(f"SET ROLE {ROLE}".encode())
            yield connection

    return PostgresAudit(transaction)


async def append(trail: PostgresAudit, *numbers: int, org_id: str = OURS) -> str:
    """Append records one after another; the new head."""
    head = await trail.head(org_id)
    for number in numbers:
        head = await trail.append(a_record(number, org_id=org_id), head)
    return head


async def test_what_is_appended_verifies_when_it_is_read_back(trail: PostgresAudit) -> None:
    """Records come back from the database byte for byte as they were hashed, org by org."""
    head = await append(trail, 1, 2, 3)
    await append(trail, 4, org_id=THEIRS)
    links = [link async for link in trail.links(OURS)]
    assert [link.record for link in links] == [a_record(n) for n in (1, 2, 3)]
    assert verify(links, head=head) is None


async def test_of_two_appends_on_one_head_only_one_stands(trail: PostgresAudit) -> None:
    """However many processes append at once, the chain has no fork; who lost is told to look again."""
    head = await append(trail, 1)
    outcomes = await asyncio.gather(*(trail.append(a_record(n), head) for n in range(2, 8)), return_exceptions=True)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, WrongHead) for outcome in outcomes) == 5
    for unknown in (GENESIS, "f" * 64):
        with pytest.raises(WrongHead):
            await trail.append(a_record(9), unknown)
    assert verify([link async for link in trail.links(OURS)]) is None


async def test_nobody_rewrites_the_trail(trail: PostgresAudit, admin: psycopg.Connection[Any]) -> None:
    """UPDATE, DELETE and TRUNCATE are refused by the database, to the application's role and to the superuser."""
    await append(trail, 1)
    for role in (ROLE, "postgres"):
        admin.execute(f"SET ROLE {role}")
        for change in ("UPDATE audit_records SET at = now()", "DELETE FROM audit_records", "TRUNCATE audit_records"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                admin.execute(change)


async def test_a_change_behind_the_databases_back_is_found(trail: PostgresAudit, admin: psycopg.Connection[Any]) -> None:
    """Who takes the guard away and edits a record leaves a broken chain."""
    await append(trail, 1, 2, 3)
    admin.execute("DROP TRIGGER audit_records_append_only ON audit_records")
    admin.execute("""UPDATE audit_records SET record = jsonb_set(record, '{actor_id}', '"usr_9"') WHERE seq = 2""")
    breach = verify([link async for link in trail.links(OURS)])
    assert breach is not None
    assert (breach.seq, breach.kind) == (2, "changed")


@pytest.mark.parametrize("change", ["record - 'scopes'", "record || '{\"more\": 1}'", 'record || \'{"reason": ""}\''])
async def test_a_walk_of_the_chain_names_the_breach(
    trail: PostgresAudit, admin: psycopg.Connection[Any], admin_actor: Actor, change: str
) -> None:
    """Whatever an editor left of a record, the walk ends there and says so; before it was edited the chain is whole."""
    head = await append(trail, 1, 2, 3)
    auditor = Auditor(trail, observability("control-plane"), deadline_s=30)
    async with auditor.reading(
        admin_actor, Scope.AUDIT_READ, OURS, action="audit.verify", resource=Resource(type="org")
    ) as reading:
        whole = await trail.walk(reading.grant, head=head)
        assert (whole.breach, whole.seq) == (None, 4)
        admin.execute("DROP TRIGGER audit_records_append_only ON audit_records")
        admin.execute(f"UPDATE audit_records SET record = {change} WHERE seq = 2")
        assert (await trail.walk(reading.grant)).breach == Breach(seq=2, kind="changed")
        admin.execute("DELETE FROM audit_records WHERE seq >= 2")
        assert (await trail.walk(reading.grant)).breach is None
        assert (await trail.walk(reading.grant, head=head)).breach == Breach(seq=2, kind="cut_off")


async def test_without_the_right_to_insert_nothing_is_read(
    trail: PostgresAudit, admin: psycopg.Connection[Any], developer: Actor
) -> None:
    """Revoking INSERT from the role breaks the trail, and with it every audited reading."""
    admin.execute(f"REVOKE INSERT ON audit_records FROM {ROLE}")
    auditor = Auditor(trail, observability("control-plane"), deadline_s=30)
    with pytest.raises(AuditUnavailable):
        async with auditor.reading(developer, Scope.LOGS_READ, OURS, action="logs.query", resource=Resource(type="env")):
            raise AssertionError("the block must not run")


async def test_a_database_that_is_away_says_so() -> None:
    """What psycopg raises becomes the trail's own word for it."""

    @asynccontextmanager
    async def away() -> AsyncIterator[Any]:
        raise psycopg.OperationalError("connection refused")
        yield

    with pytest.raises(SinkFailure) as failed:
        await PostgresAudit(away).append(a_record(), GENESIS)
    assert failed.value.reason == "connection_lost"


async def test_reading_the_trail_is_itself_on_record_and_stays_in_the_org(trail: PostgresAudit, admin_actor: Actor) -> None:
    """A selection finds what it names in the grant's org, newest last, the record of this very reading included."""
    await append(trail, 1, 2, org_id=THEIRS)
    head = await append(trail, 1)
    other = replace(a_record(2), selectors={"env_id": "env_2", "route_id": "rt_1"})
    await trail.append(other, head)
    auditor = Auditor(trail, observability("control-plane"), deadline_s=30)
    async with auditor.reading(
        admin_actor, Scope.AUDIT_READ, OURS, action="audit.query", resource=Resource(type="org")
    ) as reading:
        everything = await trail.read(reading.grant, AuditSelection())
        assert [access.opened.action for access in everything] == ["logs.query", "logs.query", "audit.query"]
        assert {access.opened.org_id for access in everything} == {OURS}
        assert await trail.read(reading.grant, AuditSelection(env_id="env_2", route_id="rt_1")) == [Access(opened=other)]
        assert await trail.read(reading.grant, AuditSelection(limit=1)) == everything[-1:]
    with pytest.raises(AccessDenied):
        async with auditor.reading(
            admin_actor, Scope.LOGS_READ, OURS, action="logs.query", resource=Resource(type="org")
        ) as reading:
            await trail.read(reading.grant, AuditSelection())


@pytest.fixture
def admin_actor() -> Actor:
    """An admin of our org."""
    return Actor.of(actor_type="user", actor_id="usr_2", org_id=OURS, scopes=["audit:read", "logs:read"])


async def test_what_is_no_id_names_no_chain(trail: PostgresAudit) -> None:
    """A chain is not called by whatever a caller sends in the place of an org."""
    for org_id in ("x" * 65, "\x1b[2J", ""):
        with pytest.raises(SinkFailure, match="is no id of an org, so it can name no chain of records"):
            await trail.append(a_record(org_id=org_id), GENESIS)
