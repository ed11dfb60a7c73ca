"""One org's lines in one SQLite file, used from worker threads.

Two connections stand on it, so that a long query does not keep lines waiting. Time in the file never falls within an
instance, whatever its node's clock does: an entry's ``at`` is its own time, but not before its predecessor's and not
after its arrival. By ``at`` a query is ordered and old lines are forgotten.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from obslib.workload.layout import Broken, connect, require_layout
from obslib.workload.narrowing import fits, in_order, number_of, where
from obslib.workload.rows import COLUMNS, Boot, Keys, micros, row_of, seed_of, stored_of
from obslib.workload.selection import Selection
from obslib.workload.stored import Appended, Page, Stamp, StampedEntry, StoredEntry

__all__ = ["ANSWER_BYTES", "OrgFile", "TooSlow"]

ANSWER_BYTES = 8_388_608
"""Bytes of lines in one answer, so that 10 000 lines of 16 KiB cannot fill the reader's memory."""

_FIRST = -(2**62)
_DAY = 86_400_000_000
_SCANNED = 50_000
_PURGED = 5_000
_STEPS = 20_000


class TooSlow(Exception):
    """A query did not end within its time."""


class OrgFile:
    """The file of one org. Every method may raise one of FILE_ERRORS; none of them shows a damaged row."""

    def __init__(self, path: Path, org_id: str, *, slowest_s: float = 10.0) -> None:
        self.path, self.org_id = path, org_id
        self.users = 0
        self.damaged_rows = 0
        self._slowest_s = slowest_s
        self._deadline = 0.0
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._boots: dict[int, Boot] = {}
        self._writer = connect(path)
        try:
            self._writer.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            require_layout(self._writer)
            self._reader = connect(path)
            self._reader.execute("PRAGMA query_only = ON")
        except BaseException:
            self._writer.close()
            raise
        self._reader.set_progress_handler(self._is_late, _STEPS)

    def close(self) -> None:
        """Wait for what is under way and close both connections."""
        with self._writing, self._reading:
            for connection in (self._reader, self._writer):
                with suppress(sqlite3.Error):
                    connection.close()

    def check(self) -> None:
        """Read all of it and raise Broken when tables and indexes contradict each other; takes a second for 200 MB."""
        with self._reading:
            self._deadline = float("inf")
            [found] = self._reader.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise Broken(str(found))

    def append(self, entries: Sequence[StampedEntry], now: int) -> tuple[Appended, int]:
        """Keep what is new, in one durable transaction; and where the newest stands. ``now`` is in microseconds."""
        with self._writing, self._transaction():
            known = self._known(entries, now)
            position = self._position(self._writer)
            rows, fresh = [], []
            for stamped in entries:
                entry = stamped.entry
                there = known[entry.instance_id, entry.boot_id]
                if entry.seq in there.seqs:
                    continue
                there.seqs.add(entry.seq)
                position += 1
                ts = micros(entry.ts)
                there.at[0] = max(there.at[0], min(ts, now))
                rows.append(row_of(position, there.keys, there.at[0], ts, entry, there.seed))
                fresh.append(entry)
            self._writer.executemany(f"INSERT INTO entries ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
        return Appended(fresh, len(entries) - len(fresh)), position

    def query(self, selection: Selection) -> Page:
        """The newest that match, oldest first, as far as they fit into one answer."""
        index = "by_instance" if selection.instance_id else "by_env"
        condition, values = where(selection)
        found: dict[int, StoredEntry] = {}
        spent = left_out = 0
        for row in self._rows(
            f"SELECT {COLUMNS} FROM entries INDEXED BY {index} WHERE {condition} ORDER BY at DESC, position DESC LIMIT ?",
            (*values, selection.tail_lines),
        ):
            spent += len(row[8]) if isinstance(row[8], bytes) else 0
            if spent > ANSWER_BYTES:
                left_out += 1
            elif (entry := self._checked(row, selection)) is not None:
                found[entry.position] = entry
        return Page(in_order(list(found.values())[::-1]), left_out=left_out)

    def read_after(self, selection: Selection, position: int, limit: int, most_bytes: int) -> Page:
        """The next that match by arrival, at most ``limit`` or ``most_bytes``, whichever comes first."""
        tip = self.position()
        [[following]] = self._rows("SELECT min(position) FROM entries WHERE position > ?", (position,))
        if not isinstance(following, int):
            return Page((), max(tip, position))
        end = min(tip, following + _SCANNED)
        condition, values = where(selection)
        found: list[StoredEntry] = []
        spent = 0
        for row in self._rows(
            f"SELECT {COLUMNS} FROM entries NOT INDEXED WHERE position > ? AND position <= ? AND {condition}"
            " ORDER BY position LIMIT ?",
            (position, end, *values, limit),
        ):
            if (entry := self._checked(row, selection)) is not None:
                found.append(entry)
                spent += len(entry.entry.line)
            if len(found) >= limit or spent >= most_bytes:
                return Page(found, row[0])
        return Page(found, max(end, position))

    def position(self) -> int:
        """Where the newest entry stands."""
        with self._reading:
            return self._position(self._reader)

    def purge(self, before: int) -> int:
        """Forget what is older than ``before`` (microseconds), a piece at a time so that lines can come in between."""
        gone = 0
        for [env] in self._writer_rows("SELECT DISTINCT env FROM entries INDEXED BY by_env"):
            while True:
                with self._writing, self._transaction():
                    piece = self._writer.execute(
                        "DELETE FROM entries WHERE position IN"
                        " (SELECT position FROM entries INDEXED BY by_env WHERE env = ? AND at < ? LIMIT ?)",
                        (env, before, _PURGED),
                    ).rowcount
                gone += piece
                if piece < _PURGED:
                    break
        if gone:
            with self._writing:
                self._writer.execute(
                    "DELETE FROM boots WHERE NOT EXISTS (SELECT 1 FROM entries WHERE entries.boot = boots.boot)"
                )
                self._writer.executescript("PRAGMA incremental_vacuum")
        return gone

    @contextmanager
    def adopting(self) -> Iterator[Callable[[str, str, Sequence[Any]], bool]]:
        """Take over rows as they are, in one transaction; what contradicts a row that is there is left out."""

        def adopt(table: str, columns: str, row: Sequence[Any]) -> bool:
            marks = ",".join("?" * len(row))
            return self._writer.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", row).rowcount == 1

        with self._writing, self._transaction():
            yield adopt

    def continue_after(self, position: int) -> None:
        """Give the next entry a position above ``position``, so that no reader's place is used twice."""
        with self._writing, self._transaction():
            self._writer.execute("DELETE FROM sqlite_sequence WHERE name = 'entries'")
            self._writer.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('entries', ?)", (position,))

    # --- inside ---------------------------------------------------------------------------------

    def _known(self, entries: Sequence[StampedEntry], now: int) -> dict[tuple[str, str], _Known]:
        """What the file has of each boot among ``entries``; a boot that is new gets its number."""
        seqs: dict[tuple[str, str], list[int]] = {}
        stamps: dict[tuple[str, str], Stamp] = {}
        for stamped in entries:
            name = stamped.entry.instance_id, stamped.entry.boot_id
            seqs.setdefault(name, []).append(stamped.entry.seq)
            stamps.setdefault(name, stamped.stamp)
        times: dict[str, list[int]] = {}
        return {name: self._known_boot(name, stamps[name], seqs[name], times, now) for name in seqs}

    def _known_boot(
        self, name: tuple[str, str], stamp: Stamp, seqs: list[int], times: dict[str, list[int]], now: int
    ) -> _Known:
        instance_id = name[0]
        if instance_id not in times:
            [at] = self._writer.execute("SELECT max(at) FROM entries WHERE instance = ?", (number_of(instance_id),)).fetchone()
            times[instance_id] = [at if isinstance(at, int) and at <= now + _DAY else _FIRST]
        boot = self._boot_number(name, stamp)
        there = self._writer.execute(
            "SELECT seq FROM entries WHERE boot = ? AND seq IN (SELECT value FROM json_each(?))", (boot, json.dumps(seqs))
        )
        keys = number_of(stamp.env_id), number_of(instance_id), boot
        return _Known(keys, seed_of(stamp, *name), {seq for [seq] in there}, times[instance_id])

    def _boot_number(self, name: tuple[str, str], stamp: Stamp) -> int:
        """The boot's number. What the file says of it otherwise gives way to the control plane's view, which never changes."""
        parts = stamp.app_id, stamp.env_id, stamp.process_type, stamp.node_id
        row = self._writer.execute(
            "SELECT boot, app_id, env_id, process_type, node_id FROM boots WHERE instance_id = ? AND boot_id = ?", name
        ).fetchone()
        if row is None:
            self._writer.execute(
                "INSERT INTO boots (instance_id, boot_id, app_id, env_id, process_type, node_id) VALUES (?,?,?,?,?,?)",
                (*name, *parts),
            )
            return self._boot_number(name, stamp)
        if row[1:] != parts:
            self._writer.execute(
                "UPDATE boots SET app_id = ?, env_id = ?, process_type = ?, node_id = ? WHERE boot = ?", (*parts, row[0])
            )
            self._boots = {}
        return int(row[0])

    def _stamp(self, parts: Sequence[str]) -> Stamp:
        app_id, env_id, process_type, node_id = parts
        return Stamp(org_id=self.org_id, app_id=app_id, env_id=env_id, process_type=process_type, node_id=node_id)

    def _checked(self, row: Sequence[Any], selection: Selection) -> StoredEntry | None:
        """The row's entry when it is whole and is what was asked for, not what a broken index led to."""
        boot = self._boot(row[3])
        entry = stored_of(row, boot) if boot else None
        if entry is None or boot is None or not fits(boot, selection):
            self.damaged_rows += 1
            return None
        return entry

    def _boot(self, number: Any) -> Boot | None:
        if number not in self._boots:
            row = self._reader.execute(
                "SELECT app_id, env_id, process_type, node_id, instance_id, boot_id FROM boots WHERE boot = ?", (number,)
            ).fetchone()
            if row is None or not all(isinstance(part, str) for part in row):
                return None
            if len(self._boots) > 10_000:
                self._boots.clear()
            stamp = self._stamp(row[:4])
            self._boots[number] = (stamp, row[4], row[5], seed_of(stamp, row[4], row[5]))
        return self._boots[number]

    def _rows(self, statement: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
        with self._reading, closing(self._reader.cursor()) as cursor:
            self._deadline = time.monotonic() + self._slowest_s
            try:
                yield from cursor.execute(statement, values)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                    raise TooSlow(f"the query took longer than {self._slowest_s:g} s") from None
                raise

    def _writer_rows(self, statement: str) -> list[Any]:
        with self._writing:
            return self._writer.execute(statement).fetchall()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    @staticmethod
    def _position(connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            raise


class _Known:
    """A boot as the file has it: its keys and seed, which of the numbers asked about are there, and its instance's time."""

    __slots__ = ("at", "keys", "seed", "seqs")

    def __init__(self, keys: Keys, seed: int, seqs: set[int], at: list[int]) -> None:
        self.keys, self.seed, self.seqs, self.at = keys, seed, seqs, at
