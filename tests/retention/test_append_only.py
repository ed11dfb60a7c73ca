"""The DDL of an append-only table, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from obslib.errors import SettingsError
from obslib.retention import append_only

CHANGES = (
    "UPDATE records SET body = 'x'",
    "UPDATE records SET body = 'x' WHERE false",
    "DELETE FROM records",
    "TRUNCATE records",
    "TRUNCATE records CASCADE",
    "INSERT INTO records (id, body) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = 'x'",
    "MERGE INTO records USING (SELECT 1 AS n) s ON records.id = s.n WHEN MATCHED THEN DELETE",
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A superuser's connection to a database with one table, one record in it and a role."""
    connection = psycopg.connect(database_url, autocommit=True)
    connection.execute("CREATE TABLE records (id int PRIMARY KEY, body text); INSERT INTO records VALUES (1, 'first')")
    connection.execute(
        "DO $$ BEGIN CREATE ROLE records_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT ALL ON records TO records_app; GRANT ALL ON records TO PUBLIC; GRANT UPDATE (body) ON records TO records_app"
    )
    yield connection
    connection.close()


def records(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """What the table holds."""
    return connection.execute("SELECT id, body FROM records ORDER BY id").fetchall()


def test_nobody_changes_a_record_that_is_there(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Neither the application's role nor the superuser can change or remove a record, by whatever statement."""
    connection.execute(append_only("records", role="records_app"))
    for role in ("records_app", "postgres"):
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for change in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change)
    assert records(connection) == [(1, "first")]


def test_the_trigger_holds_in_replica_mode(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """A session that switches ordinary triggers off does not get round this one."""
    connection.execute(append_only("records", role="records_app"))
    connection.execute("SET session_replication_role = replica")
    for change in CHANGES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is refused: the table is append-only"):
            connection.execute(change)


def test_the_role_reads_and_appends(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """What the application needs it keeps: reading and inserting."""
    connection.execute(append_only("records", role="records_app"))
    connection.execute("SET ROLE records_app")
    connection.execute("INSERT INTO records VALUES (2, 'second')")
    assert records(connection) == [(1, "first"), (2, "second")]


def test_the_privileges_hold_without_the_trigger(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """The second fence stands alone: with the trigger gone, the role is still refused."""
    connection.execute(append_only("records", role="records_app"))
    connection.execute("DROP TRIGGER records_append_only ON records; SET ROLE records_app")
    for change in CHANGES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(change)


def test_it_may_be_run_again(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Every start of a process may run the statements."""
    for _ in range(2):
        connection.execute(append_only("records", role="records_app"))
    assert connection.execute("SELECT count(*) FROM pg_trigger WHERE tgname = 'records_append_only'").fetchone() == (1,)


def test_a_role_that_owns_the_table_is_refused(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """An owner could grant itself everything back, so the statements fail instead of pretending."""
    connection.execute("ALTER TABLE records OWNER TO records_app")
    with pytest.raises(psycopg.errors.RaiseException, match="owns table"):
        connection.execute(append_only("records", role="records_app"))


def test_names_are_quoted(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """A schema, a capital or a quote in a name stays a name."""
    table = sql.SQL("{}.{}").format(sql.Identifier("Audit"), sql.Identifier('it\'s "mine"'))
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier("Audit")))
    connection.execute(sql.SQL("CREATE TABLE {} (id int)").format(table))
    connection.execute(append_only('Audit.it\'s "mine"', role="records_app"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("DELETE FROM {}").format(table))


@pytest.mark.parametrize("name", ["", "a.", "a\0b", "a$guard$b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """An empty or unusable name is refused before the database sees it."""
    with pytest.raises(SettingsError, match="is not a name PostgreSQL can use; name a table"):
        append_only(name, role="records_app")


def test_a_mutant_without_the_trigger_lets_the_owner_change_records(
    connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    """The trigger is what stops the owner: without it the first test of this file would see a changed record."""
    connection.execute(append_only("records", role="records_app"))
    connection.execute("DROP TRIGGER records_append_only ON records")
    connection.execute("UPDATE records SET body = 'x'")
    assert records(connection) == [(1, "x")]
