"""The file behind the spool: one SQLite database, and what happens when the disk or the file gives out.

SQLite and not segment files, because what must move together (a console's position, the numbers given out, the
lines, the counts) then moves in one transaction, and a drop in the middle is one statement. ``synchronous=NORMAL``
is enough: a killed process loses nothing, and a power failure takes the workloads along.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from obslib.errors import ErrorClass, ObslibError

__all__ = ["SpoolFile", "SpoolUnavailable", "Trouble"]

Trouble = Literal["disk_full", "corrupt", "unusable"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS boots (
    boot INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, boot_id TEXT NOT NULL UNIQUE,
    first_seq INTEGER NOT NULL, next_seq INTEGER NOT NULL, sent_seq INTEGER NOT NULL DEFAULT 0, rejected_from INTEGER,
    tokens REAL, read_at REAL NOT NULL, is_over INTEGER NOT NULL DEFAULT 0, is_forgotten INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS consoles (
    boot INTEGER NOT NULL, stream TEXT NOT NULL, position INTEGER NOT NULL, is_skipping INTEGER NOT NULL,
    checksum INTEGER NOT NULL, PRIMARY KEY (boot, stream)
);
CREATE TABLE IF NOT EXISTS entries (
    boot INTEGER NOT NULL, seq INTEGER NOT NULL, ts REAL NOT NULL, stream TEXT NOT NULL,
    line BLOB NOT NULL DEFAULT x'', truncated INTEGER NOT NULL DEFAULT 0, checksum INTEGER,
    reason TEXT, lines INTEGER NOT NULL DEFAULT 1, bytes INTEGER NOT NULL DEFAULT 0, is_exact INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX IF NOT EXISTS entries_in_order ON entries (boot, seq);
CREATE INDEX IF NOT EXISTS gaps ON entries (boot) WHERE reason IS NOT NULL;
CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, total INTEGER NOT NULL);
"""

_AROUND_THE_FILE = tuple(
    f"SQLITE_{what}" for what in ("IOERR", "CANTOPEN", "READONLY", "BUSY", "LOCKED", "NOMEM", "PERM", "AUTH", "PROTOCOL")
)
"""Errors that say nothing about what is in the file; all others do, since what we ask of it is always the same."""


class SpoolUnavailable(ObslibError, OSError):
    """The spool could not be read or written just now; nothing has changed, and the next try may succeed."""

    error_class = ErrorClass.DEPENDENCY

    def __init__(self, message: str, kind: Trouble) -> None:
        super().__init__(message)
        self.kind = kind


class SpoolFile:
    """The database, opened on first use and again after any trouble. ``recall`` reads the memory kept beside it.

    A file whose content makes no sense any more is moved to ``<name>.broken`` and a new one is begun. Used from one thread.
    """

    def __init__(self, path: Path, recall: Callable[[sqlite3.Connection], None]) -> None:
        self.troubles: Counter[Trouble] = Counter()
        self._path = path
        self._recall = recall
        self._db: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file; what was committed stays."""
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block, or none of it; raises SpoolUnavailable when the file cannot do it."""
        try:
            db = self._connected()
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except (sqlite3.Error, ValueError, TypeError) as error:  # the latter when what is in the file makes no sense
            raise self._trouble(error) from error
        except BaseException:
            self.close()  # rolls back, and the memory beside it is read again
            raise

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            with suppress(OSError):
                self._path.touch(mode=0o600)  # it holds what tenants wrote
            self._db = db = sqlite3.connect(self._path, isolation_level=None)
            db.text_factory = lambda text: text.decode(errors="replace")  # what a bad disk made of it is for us to judge
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(_SCHEMA)
            self._recall(db)
        return self._db

    def _trouble(self, error: Exception) -> SpoolUnavailable:
        self.close()
        kind = _kind(error)
        self.troubles[kind] += 1
        if kind == "corrupt":
            with suppress(OSError):
                self._path.replace(self._path.with_name(f"{self._path.name}.broken"))
            for beside in ("-wal", "-shm"):
                self._path.with_name(self._path.name + beside).unlink(missing_ok=True)
        return SpoolUnavailable(f"the workload log spool at {str(self._path)!r} cannot be used now ({error})", kind)


def _kind(error: Exception) -> Trouble:
    name = str(getattr(error, "sqlite_errorname", ""))
    if name == "SQLITE_FULL":
        return "disk_full"
    is_about_content = not isinstance(error, sqlite3.Error) or (name and not name.startswith(_AROUND_THE_FILE))
    return "corrupt" if is_about_content else "unusable"
