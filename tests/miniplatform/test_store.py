"""What surrounds the log and the views: migration, the pool, names, notices and tokens."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from miniplatform.process import ExitCode, Refusal
from miniplatform.store import names
from miniplatform.store.events import Conflict
from miniplatform.store.migrate import migrate
from miniplatform.store.notices import Notices
from miniplatform.store.pool import Database
from miniplatform.store.tokens import Bearer, bearer_of, is_valid, issue, revoke_node


async def test_three_processes_may_migrate_at_once(database_url: str) -> None:
    """Whoever starts first applies the schema; the others find it applied."""
    await asyncio.gather(*(migrate(database_url) for _ in range(3)))
    database = Database(database_url)
    await database.open()
    assert await database.rows("view_read", "SELECT count(*) AS n, current_user AS who FROM events") == [
        {"n": 0, "who": "miniplatform_app"}
    ]
    await database.close()


@pytest.mark.parametrize(
    ("url", "sentence", "code"),
    [
        ("", "no database is given; pass --database-url or set DATABASE_URL", ExitCode.INVALID_USAGE),
        ("hunter2 or so", "the database URL is not a PostgreSQL URL; see --database-url", ExitCode.INVALID_USAGE),
    ],
)
async def test_a_url_that_is_none_is_refused(url: str, sentence: str, code: ExitCode) -> None:
    """The sentence says where a URL comes from and never what was in it."""
    with pytest.raises(Refusal) as refusal:
        await migrate(url)
    assert (str(refusal.value), refusal.value.exit_code) == (sentence, code)


async def test_a_database_that_does_not_answer_is_refused_without_its_password() -> None:
    """The operator learns which database and why; the password stays where it was."""
    with pytest.raises(Refusal) as refusal:
        await migrate("postgresql://mini:hunter2hunter2@127.0.0.1:1/events")
    assert refusal.value.exit_code is ExitCode.TRANSIENT
    assert str(refusal.value).startswith("the database at 127.0.0.1:1/events cannot be reached: ")
    assert "hunter2" not in str(refusal.value)


async def test_a_broken_connection_is_replaced(database: Database, migrated_url: str) -> None:
    """When the server drops every connection, the next caller gets a fresh one that works as the role."""
    assert await database.row("view_read", "SELECT current_user AS who") == {"who": "miniplatform_app"}
    with psycopg.connect(migrated_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert await database.row("view_read", "SELECT current_user AS who") == {"who": "miniplatform_app"}


async def test_the_pool_tells_its_size(database: Database) -> None:
    """A borrowed connection is in use, the bound is ten, and nobody waits below it."""
    async with database.transaction("view_read"):
        figures = database.figures()
    assert figures["in_use"] >= 1
    assert (figures["maximum"], figures["waiting"]) == (10, 0)


async def test_a_name_is_taken_once(database: Database) -> None:
    """Of two who want a name in one scope one gets it; other scopes are free, and a name given back is too."""
    outcomes = await asyncio.gather(*(_claim(database, "app of org_1", f"app_{n}") for n in range(4)))
    assert sorted(outcomes) == ["got it", *["the app 'web' is taken; choose another"] * 3]
    assert await _claim(database, "app of org_2", "app_9") == "got it"
    async with database.transaction("lock") as connection:
        winner = await names.holder(connection, "app of org_1", "web")
        assert winner is not None
        await names.claim(connection, "app of org_1", "web", winner)
        assert await names.release(connection, winner) == 1
    assert await _claim(database, "app of org_1", "app_5") == "got it"


async def _claim(database: Database, scope: str, who: str) -> str:
    try:
        async with database.transaction("lock") as connection:
            await names.claim(connection, scope, "web", who)
            await asyncio.sleep(0.01)
    except Conflict as conflict:
        return str(conflict)
    return "got it"


async def test_a_notice_wakes_whoever_looked_before_it(database: Database, migrated_url: str) -> None:
    """A notice between looking and waiting is not lost, and without one the wait ends by itself."""
    notices = Notices(migrated_url, "events")
    task = asyncio.create_task(notices.run())
    await notices.after(0, timeout_s=5)
    before = notices.count
    assert before == 1
    async with database.transaction("event_append") as connection:
        await connection.execute("NOTIFY events")
    await notices.after(before, timeout_s=5)
    assert notices.count == before + 1
    await notices.after(before, timeout_s=5)
    await notices.after(notices.count, timeout_s=0.01)
    task.cancel()


async def test_a_token_speaks_for_its_bearer_until_it_is_revoked(database: Database) -> None:
    """Only the hash is stored; a token nobody issued speaks for nobody."""
    bearer = Bearer(actor_type="node", actor_id="node_1", org_id=None, scopes=frozenset({"apps:read"}), node_id="node_1")
    async with database.transaction("auth") as connection:
        token = (await issue(connection, bearer)).reveal()
    assert await bearer_of(database, token) == bearer
    assert token not in repr(await database.rows("auth", "SELECT * FROM tokens"))
    assert await bearer_of(database, token + "x") is None
    async with database.transaction("auth") as connection:
        await revoke_node(connection, "node_1")
    assert not await is_valid(database, token)


async def test_an_operation_without_an_answer_is_given_up(migrated_url: str) -> None:
    """A server that stays silent costs a caller the limit and no more; the next one gets a fresh connection."""
    database = Database(migrated_url, limit_s=0.2)
    await database.open()
    with pytest.raises(psycopg.OperationalError):
        async with asyncio.timeout(5):
            await database.rows("view_read", "SELECT pg_sleep(60)")
    assert await database.row("view_read", "SELECT 1 AS one") == {"one": 1}
    await database.close()
