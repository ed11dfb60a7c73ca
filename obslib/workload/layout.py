"""What an org's file looks like inside, how one is made and opened, and how it is known to be broken."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["FILE_ERRORS", "Broken", "connect", "create", "is_damage", "require_layout"]

_SCHEMA = (
    """CREATE TABLE boots (
  boot INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, boot_id TEXT NOT NULL, app_id TEXT NOT NULL, env_id TEXT NOT NULL,
  process_type TEXT NOT NULL, node_id TEXT NOT NULL, UNIQUE (instance_id, boot_id))""",
    """CREATE TABLE entries (
  position INTEGER PRIMARY KEY AUTOINCREMENT, env INTEGER NOT NULL, instance INTEGER NOT NULL, boot INTEGER NOT NULL,
  seq INTEGER NOT NULL, at INTEGER NOT NULL, ts INTEGER NOT NULL, flags INTEGER NOT NULL, line BLOB NOT NULL,
  gap BLOB NOT NULL, checksum INTEGER NOT NULL)""",
    "CREATE UNIQUE INDEX by_name ON entries (boot, seq)",
    "CREATE INDEX by_env ON entries (env, at)",
    "CREATE INDEX by_instance ON entries (instance, at)",
)
_KNOWN_SCHEMA = (_SCHEMA[0], _SCHEMA[1], "CREATE TABLE sqlite_sequence(name,seq)", *_SCHEMA[2:])


class Broken(sqlite3.DatabaseError):
    """The file is not one that ``create`` has made."""


FILE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What working on a file may raise; the second when SQLite's own message quotes a name that is broken."""


def is_damage(error: Exception) -> bool:
    """Whether the file itself is broken, rather than the disk full or the query stopped."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    broken = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
    return isinstance(error, Broken | UnicodeDecodeError) or code in broken


def create(path: Path) -> None:
    """Make an empty file that its owner alone may read and write; SQLite gives the files beside it the same mode."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(";".join(("BEGIN", *_SCHEMA, "COMMIT")))


def connect(path: Path) -> sqlite3.Connection:
    """A connection that may be used from any thread, one at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.executescript("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
    return connection


def require_layout(connection: sqlite3.Connection) -> None:
    """Raise Broken for a file whose tables and indexes are not those that ``create`` makes."""
    if tuple(sql for [sql] in connection.execute("SELECT sql FROM sqlite_schema WHERE sql NOT NULL")) != _KNOWN_SCHEMA:
        raise Broken("its tables are not what they should be")
